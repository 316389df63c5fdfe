"""The routes of all parts, and the parts that routes may ask for."""

from __future__ import annotations

from typing import Any

from kizuna.accounts import cookie
from kizuna.accounts import routes as accounts
from kizuna.accounts.keys import KeyRing
from kizuna.alarms import routes as alarms
from kizuna.calls import routes as calls
from kizuna.campaigns import routes as campaigns
from kizuna.catalogs import routes as catalogs
from kizuna.channels import consent_subjects
from kizuna.config import Config
from kizuna.consent import routes as consent
from kizuna.consent.obey import ObeyingLog
from kizuna.definitions import routes as definitions
from kizuna.edge.limit import Limiter
from kizuna.events import routes as events
from kizuna.events.ingest import Ingest
from kizuna.events.log import Log
from kizuna.feeds import routes as feeds
from kizuna.fetches import routes as fetches
from kizuna.folds import memory_engine, profile_views
from kizuna.imports import routes as imports
from kizuna.imports.desk import Imports
from kizuna.insight import routes as insight
from kizuna.insight.overview import Overviews
from kizuna.journeys import routes as journeys
from kizuna.letters import routes as letters
from kizuna.messages import (
    confirm_routes,
    policy_routes,
    preference_routes,
    proof_routes,
    public_routes,
    rehearsal_routes,
    report_routes,
)
from kizuna.messages import routes as messages
from kizuna.messages.take_reports import ReportDesk
from kizuna.messages.take_touch import Touches
from kizuna.messages.tray import Trays
from kizuna.profiles import routes as profiles
from kizuna.profiles.past import PastProfiles
from kizuna.promotions import routes as promotions
from kizuna.providers import routes as providers
from kizuna.reports import routes as reports
from kizuna.runtime.database import Database
from kizuna.runtime.lake.query import Lake
from kizuna.segments import routes as segments
from kizuna.shelves import routes as shelves
from kizuna.shelves.desk import ShelfDesk
from kizuna.templates import routes as templates
from kizuna.templates.preview import Previewer
from kizuna.voice import routes as voice

ROUTES = [
    *accounts.ROUTES,
    *alarms.ROUTES,
    *events.ROUTES,
    *profiles.ROUTES,
    *consent.ROUTES,
    *providers.ROUTES,
    *catalogs.ROUTES,
    *promotions.ROUTES,
    *fetches.ROUTES,
    *voice.ROUTES,
    *templates.ROUTES,
    *messages.ROUTES,
    *preference_routes.ROUTES,
    *public_routes.ROUTES,
    *confirm_routes.ROUTES,
    *policy_routes.ROUTES,
    *proof_routes.ROUTES,
    *report_routes.ROUTES,
    *shelves.ROUTES,
    *rehearsal_routes.ROUTES,
    *reports.ROUTES,
    *letters.ROUTES,
    *calls.ROUTES,
    *segments.ROUTES,
    *journeys.ROUTES,
    *campaigns.ROUTES,
    *definitions.ROUTES,
    *feeds.ROUTES,
    *imports.ROUTES,
    *insight.ROUTES,
]


def parts(config: Config, database: Database) -> dict[str, Any]:
    """What handlers may ask for by name, beside `caller` and `member`."""
    keys, log, views, subjects = KeyRing(database), Log(database), profile_views(), consent_subjects()
    limits = {"max_body": config.max_body, "max_event": config.max_event, "most_behind": config.most_behind}
    return {
        "config": config,
        "database": database,
        "keys": keys,
        "cookie": cookie.for_public_url(config.public_url),
        "log": log,
        "subjects": subjects,
        "signups": Limiter(),
        "ingest": Ingest(database, ObeyingLog(database, log), keys, **limits),
        "imports": Imports(config, database, subjects),
        "lake": Lake(config),
        "overviews": Overviews(),
        "report_desk": ReportDesk(config, database, log),
        "touches": Touches(config, database, log),
        "trays": Trays(config, database),
        "previewer": Previewer(config, database),
        "shelf_desk": ShelfDesk(config, database, log, keys),
        "profile_views": views,
        "past": PastProfiles(config, memory_engine, views),
    }
