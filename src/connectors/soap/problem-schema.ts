import { z } from "zod";
import { type XmlValue, xmlValueOf } from "../../formats/xml-shape.ts";

const problem = z.object({
  title: z.string(),
  status: z.int().meta({ description: "The status that the same problem has over HTTP" }),
  detail: z.string().optional(),
  code: z.string().optional().meta({ description: "Of the platform; absent for a service's own" }),
  advice: z.string().optional(),
  errors: z.array(
    z.object({
      pointer: z.string().meta({ description: "JSON Pointer (RFC 6901) to the field" }),
      detail: z.string(),
    }).meta({ id: "ProblemField" }),
  ).optional().meta({ xml: { wrapped: "error" } }),
  details: z.any().optional().meta({ description: "Facts that the service sends along" }),
  cid: z.string().meta({ description: "Correlation id, for the people who run the channel" }),
}).meta({ id: "Problem", description: "What went wrong, as in RFC 9457" });

/** The element in the detail of every fault: `Problem`. */
export const problemValue: XmlValue = xmlValueOf(problem, "output");
