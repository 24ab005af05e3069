"""Lets Home Assistant's own integration for MQTT find the cameras at a broker.

Prints one line of JSON for each word on standard input: all entities with their
states, devices and unique ids, and the picture of each camera.
"""

import asyncio
import base64
import json
import sys
import tempfile

from homeassistant import config_entries, loader
from homeassistant.components.camera import async_get_image
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry,
    device_registry,
    entity_registry,
    issue_registry,
    restore_state,
)


async def start(hass, port):
    hass.config.skip_pip = True
    # What the integration needs of these is there without their servers.
    hass.config.components.update({"http", "file_upload"})
    hass.set_state(CoreState.running)
    loader.async_setup(hass)
    entity_registry.async_setup(hass) if hasattr(entity_registry, "async_setup") else None
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    for registry in (area_registry, device_registry, entity_registry, issue_registry):
        await registry.async_load(hass)
    await restore_state.async_load(hass)
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
        hass = HomeAssistant(folder)
        await start(hass, int(port))
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            await report(hass)
        await hass.async_stop(force=True)


asyncio.run(main(*sys.argv[1:]))
