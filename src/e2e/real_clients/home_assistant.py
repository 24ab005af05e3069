"""Lets Home Assistant's own code for MJPEG cameras take a stream.

Prints one line of JSON: what the form for a new camera says, a still picture
by the address of snapshots, one out of the stream, and what its proxy passes on.
"""

import asyncio
import base64
import json
import socket
import sys
import tempfile

import aiohttp
from aiohttp import web
from homeassistant.components.mjpeg.camera import MjpegCamera
from homeassistant.components.mjpeg.config_flow import async_validate_input
from homeassistant.core import CoreState, HomeAssistant

# JPEGs of the proxied stream to wait for.
N_JPEGS = 3


async def proxied(camera):
    """The type and the first bytes of the stream behind Home Assistant's proxy."""
    app = web.Application()
    app.router.add_get("/", camera.handle_async_mjpeg_stream)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    port = listener.getsockname()[1]
    data = b""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/") as response:
            async for chunk in response.content.iter_any():
                data += chunk
                if data.count(b"\xff\xd9") >= N_JPEGS:
                    break
            content_type = response.headers["Content-Type"]
    await runner.cleanup()
    return content_type, data


async def main(stream, still, user, password):
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        hass.set_state(CoreState.running)
        typed = {
            "mjpeg_url": stream,
            "still_image_url": still,
            "password": password,
            "verify_ssl": True,
        }
        if user:
            typed["username"] = user
        errors, authentication = await async_validate_input(hass, typed)

        def camera(still_image_url):
            camera = MjpegCamera(
                name="camera",
                mjpeg_url=stream,
                still_image_url=still_image_url,
                authentication=authentication,
                username=user or None,
                password=password,
            )
            camera.hass = hass
            return camera

        result = {"errors": errors, "authentication": authentication}
        if not errors:
            still_image = await camera(still).async_camera_image()
            out_of_stream = await camera(None).async_camera_image()
            content_type, data = await proxied(camera(still))
            result["still"] = base64.b64encode(still_image or b"").decode()
            result["out_of_stream"] = base64.b64encode(out_of_stream or b"").decode()
            result["content_type"] = content_type
            result["proxied"] = base64.b64encode(data).decode()
        print(json.dumps(result))
        await hass.async_stop(force=True)


asyncio.run(main(*sys.argv[1:]))
