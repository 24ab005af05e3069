"""Lets Home Assistant's own integration for MQTT find the cameras at a broker.

Prints one line of JSON for each word on standard input: all entities with their
states, devices and unique ids, and the picture of each camera.
"""

import asyncio
import base64
import json
import pathlib
import sys
import tempfile
from unittest import mock

from homeassistant import bootstrap, config_entries, loader
from homeassistant.components.camera import async_get_image
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry, entity_registry


async def start(hass, port):
    hass.config.skip_pip = True
    # Their servers are not needed: nobody opens a page.
    hass.config.components.update({"http", "file_upload"})
    hass.http = mock.Mock()
    hass.set_state(CoreState.running)
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    entry = config_entries.ConfigEntry(
        version=1,
        minor_version=1,
        domain="mqtt",
        title="broker",
        source=config_entries.SOURCE_USER,
        data={"broker": "127.0.0.1", "port": port, "discovery_prefix": "homeassistant"},
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    assert entry.state is config_entries.ConfigEntryState.LOADED, entry


async def picture(hass, entity_id):
    try:
        image = await async_get_image(hass, entity_id)
    except HomeAssistantError:
        return None
    return base64.b64encode(image.content).decode()


async def report(hass):
    await hass.async_block_till_done()
    entities, devices = entity_registry.async_get(hass), device_registry.async_get(hass)
    result = {}
    for entity in entities.entities.values():
        state = hass.states.get(entity.entity_id)
        device = devices.async_get(entity.device_id)
        found = {
            "state": state and state.state,
            "viewers": state and state.attributes.get("viewers"),
            "device_class": entity.device_class or entity.original_device_class,
            "unique_id": entity.unique_id,
            "device": device and device.name,
        }
        if entity.domain == "camera":
            found["picture"] = await picture(hass, entity.entity_id)
        result[entity.entity_id] = found
    print(json.dumps(result), flush=True)


async def main(port):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "configuration.yaml").touch()
        hass = HomeAssistant(folder)
        await start(hass, int(port))
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            await report(hass)
        await hass.async_stop(force=True)


asyncio.run(main(*sys.argv[1:]))
