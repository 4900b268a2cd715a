"""Prints how many tools FastMCP makes of a spec, and how many bytes its tools/list has. Runs in FastMCP's own environment."""
import asyncio
import json
import sys

import httpx2
from fastmcp import Client, FastMCP


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        server = FastMCP.from_openapi(openapi_spec=json.load(file), client=httpx2.AsyncClient(base_url="https://api.bench.test"))
    async with Client(server) as client:
        tools = await client.list_tools()
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    size = sum(len(json.dumps(tool, separators=(",", ":"), ensure_ascii=False).encode()) for tool in listed)
    print(json.dumps({"tools": len(listed), "bytes": size}))


asyncio.run(main())
