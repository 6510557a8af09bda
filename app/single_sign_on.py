"""An identity provider (OpenID Connect) that the environment names → whom it vouches for, through Streamlit's `st.login`.

Who may do what is said here and not there: the provider vouches for an address, and an account of that name has a role.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from socml.project import ConfigurationError

if TYPE_CHECKING:
    from streamlit.runtime.secrets import SecretsValue

VARIABLES = {
    "server_metadata_url": "SOCML_OIDC_URL",
    "client_id": "SOCML_OIDC_CLIENT",
    "client_secret": "SOCML_OIDC_SECRET",
    "redirect_uri": "SOCML_OIDC_REDIRECT",
}
MICROSOFT = {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
FRESH_S = 300.0  # after the provider vouched, in which a session may begin; later one signs in there again

_SPENT: dict[str, float] = {}
_LOCK = threading.Lock()


def is_configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether the environment names a provider."""
    return any(environment.get(name) for name in VARIABLES.values())


def auth_secrets(environment: Mapping[str, str] = os.environ) -> dict[str, SecretsValue]:
    """Return what `streamlit.App` takes as secrets; nothing without a provider.

    Raises
    ------
    ConfigurationError
        If a part of it is missing, or Authlib is.
    """
    if not is_configured(environment):
        return {}
    missing = [name for name in VARIABLES.values() if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"Signing in elsewhere needs {', '.join(missing)} in the environment as well.")
    if find_spec("authlib") is None:
        raise ConfigurationError("Signing in elsewhere needs Authlib: pip install 'socml[oidc]'.")
    found = {key: environment[name] for key, name in VARIABLES.items()}
    return {"auth": {**found, "cookie_secret": secrets.token_urlsafe(32)}}


def vouched_for() -> str:
    """Return the e-mail address that the provider vouched for just now; empty if it did not, or did not verify it.

    What the provider vouched counts once (`spend`): its cookie outlives a session, and signing out must not.
    """
    known = _fresh()
    return str(known.get("email") or "").lower() if is_verified(known) else ""


def lacks_verification() -> bool:
    """Say whether the provider named somebody just now, and did not say that the address is that person's."""
    known = _fresh()
    return bool(known) and not is_verified(known)


def is_verified(known: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether claims say that an address is its holder's: `email_verified`, or of Microsoft's provider `xms_edov`.

    Microsoft Entra ID has no `email_verified`; an administrator there adds the optional claims `email` and `xms_edov`.
    """
    provider = urlsplit(environment.get(VARIABLES["server_metadata_url"], "")).hostname
    if provider in MICROSOFT and known.get("xms_edov") in (True, "1", "true"):
        return True
    return known.get("email_verified") is True


def _fresh() -> Mapping[str, object]:
    """Return what the provider said just now; nothing if it did not, or that was used up."""
    if not is_configured() or not st.user.is_logged_in:
        return {}
    known = st.user.to_dict()
    at = known.get("iat")
    fresh = isinstance(at, int | float) and abs(time.time() - at) < FRESH_S
    return known if fresh and _name_of(known) not in _SPENT else {}


def spend() -> bool:
    """Use up what the provider vouched for just now; False if that was done before."""
    name, now = _name_of(st.user.to_dict()), time.monotonic()
    with _LOCK:
        for old in [one for one, until in _SPENT.items() if until < now]:
            del _SPENT[old]
        if name in _SPENT:
            return False
        _SPENT[name] = now + 2 * FRESH_S
    return True


def _name_of(known: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()
