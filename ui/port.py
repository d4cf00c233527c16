"""Whether the server's port is free, asked before anything slow begins. Imports no gradio."""

from __future__ import annotations

import socket

from engine.settings import Settings, SettingsError


def check_port(settings: Settings) -> None:
    """SettingsError where another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise port_taken(settings) from error


def port_taken(settings: Settings) -> SettingsError:
    """What is said of a taken port."""
    return SettingsError(f"CTX_PORT={settings.port}: taken; set another port")
