"""Enters a room: client.py NAME ROOM says what it hears; with a TEXT it says that and leaves."""

import asyncio
import json
import os
import sys
from urllib.parse import quote

import websockets

name, room, *text = sys.argv[1:]
url = f"ws://127.0.0.1:11223/chat/{quote(room)}?name={quote(name)}"


async def main():
    headers = {"X-API-Key": os.environ["CHAT_KEY"]}
    async with websockets.connect(url, extra_headers=headers) as socket:
        async for message in socket:
            message = json.loads(message)
            if message.get("type") == "connected":
                print("You are in", flush=True)
                if text:
                    request = {"id": 1, "service": "say", "input": {"text": text[0]}}
                    await socket.send(json.dumps(request))
            elif message.get("type") == "push":
                line = message["data"]
                print(f"{line['from']}: {line['text']}" if "from" in line else line["text"], flush=True)
            elif "ok" in message:
                return


asyncio.run(main())
