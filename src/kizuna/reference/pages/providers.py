"""Kinds of providers."""

from __future__ import annotations

from kizuna.providers import CarriesDevices, Provider, all_providers
from kizuna.providers.http import HttpProvider
from kizuna.reference.page import Page, code, codes, module_says, said
from kizuna.reference.shape import fields_table


def page() -> Page:
    about = (
        "Who carries a message: the `kind` of `PUT /api/v1/providers/{name}` and the `settings` each takes. Secrets "
        "are kept sealed and never shown again."
    )
    return Page("Providers", about, "\n\n".join(_section(each) for each in all_providers().values()))


def _section(provider: Provider) -> str:
    facts = [f"Channel: {code(provider.channel) if provider.channel else 'any'}."]
    if isinstance(provider, CarriesDevices):
        facts.append(f"Devices: {codes(sorted(provider.carries))}.")
    if isinstance(provider, HttpProvider) and provider.has_reports:
        facts.append("Reports: yes, at the `reports_url` that `GET` shows.")
    parts = [f"## {code(provider.name)}", module_says(provider), " ".join(facts), said(provider.settings)]
    return "\n\n".join(part for part in (*parts, fields_table(provider.settings, provider.secrets)) if part)
