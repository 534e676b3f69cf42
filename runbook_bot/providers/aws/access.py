"""Who signs: the read-only credentials of one account, found or assumed, shared by all its regions and their clients.

A client is expensive and holds no keys here: at each signature it asks for them, and is given those of the session that
belongs to the investigation under way. So clients are made once an account, region and service, whatever runs; the
role's sessions, which are small, are kept for the last 32 investigations and assumed again for an older one. CloudTrail
of the account then says which investigation read what. Credentials without a role have no session to be named.

Keys that boto3 finds by itself are looked for again after AWS refused them (a login, a rotated file), not more often
than every ten seconds; those that can be renewed are renewed by botocore before they run out.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import DataNotFoundError, UnknownRegionError

from runbook_bot.domain.errand import errand
from runbook_bot.providers.aws.config import AwsAccount
from runbook_bot.providers.aws.paging import Paging, paging_of
from runbook_bot.providers.aws.roles import ClockAstray, assumed, reading_session
from runbook_bot.providers.aws.wire import client_config, prepared

_SESSIONS = 32
_LOOKED_AGAIN_SECONDS = 10.0
_ASSUMING_SECONDS = 1.5
"""After it a role that another region is still assuming is assumed here as well."""


class Access:
    """Makes clients for one account, and signs for them."""

    def __init__(
        self, profile: str | None, account: AwsAccount | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.profile = profile
        self.account = account
        self._now = now
        self._lock = threading.RLock()
        self._assuming = threading.Lock()
        self._sessions: dict[str, Any] = {}
        self._doors: dict[str, Any] = {}
        self._roles: OrderedDict[str, Any] = OrderedDict()
        self._found: Any = None
        self._looked: float | None = None

    def client(self, service: str, region: str) -> Any:
        """A new client. Blocking; raises what boto3 raises."""
        with self._lock:  # clients may be shared between threads, sessions may not
            return prepared(self._session(region).create_client(service, region_name=region, config=client_config()))

    def paging(self, service: str, action: str, region: str) -> Paging:
        """How the call is continued. Blocking; raises what boto3 raises."""
        with self._lock:
            session = self._session(region)
            operation = session.get_service_model(service).operation_model(action)
            try:
                config = session.get_paginator_model(service).get_paginator(action)
            except (ValueError, DataNotFoundError):
                config = None  # no such entry, or no such table: the service's own shapes have to do
        shapes = (operation.input_shape, operation.output_shape)
        return paging_of(config, *(tuple(shape.members) if shape else () for shape in shapes))

    def required(self, service: str, action: str, region: str) -> list[str]:
        """The arguments that a call must have. Blocking; raises what boto3 raises."""
        with self._lock:
            shape = self._session(region).get_service_model(service).operation_model(action).input_shape
        return list(shape.required_members) if shape else []

    def offers(self, service: str, region: str) -> bool:
        """Whether botocore knows of the service there; one of which it knows no region at all may be anywhere."""
        with self._lock:
            session = self._session(region)
            try:
                partition = session.get_partition_for_region(region)
            except UnknownRegionError:
                return True  # one that botocore has never heard of: the call itself says what is wrong
            known = session.get_available_regions(service, partition)
        return not known or region in known

    def refused(self) -> None:
        """AWS refused the keys: they are looked for anew."""
        with self._lock:
            if self._looked is not None and self._now() - self._looked >= _LOOKED_AGAIN_SECONDS:
                self._found, self._looked = None, None
                self._roles.clear()
                self._doors.clear()

    def keys(self, region: str) -> Any:
        """What the next call is signed with; None where there is nothing. Blocking; raises what boto3 raises."""
        found = self._ambient() if self.account is None else self._role(self.account, region)
        try:
            return found.get_frozen_credentials() if found is not None else None
        except RuntimeError as error:  # botocore's own word for credentials that are expired when they are new
            raise ClockAstray(
                until="a moment in the past", now=time.strftime("%Y-%m-%d %H:%M", time.gmtime())
            ) from error

    def _session(self, region: str) -> Any:
        if region not in self._sessions:
            session = botocore.session.Session(profile=self.profile)
            session.register_component("data_loader", _models())
            session.register_component("credential_provider", _Signing(self, region))
            self._sessions[region] = session
        return self._sessions[region]

    def _ambient(self) -> Any:
        """Whatever boto3 finds: environment, profile, SSO, container or instance role. What is not there is not sought
        again at every call: that would ask the machine's metadata service each time."""
        with self._lock:
            if self._looked is None or (self._found is None and self._now() - self._looked >= _LOOKED_AGAIN_SECONDS):
                self._looked = self._now()
                self._found = boto3.Session(profile_name=self.profile).get_credentials()
            return self._found

    def _role(self, account: AwsAccount, region: str) -> Any:
        name = reading_session(errand().investigation)
        with self._lock:
            if name in self._roles:
                self._roles.move_to_end(name)
                return self._roles[name]
        waited = self._assuming.acquire(timeout=_ASSUMING_SECONDS)
        try:
            with self._lock:
                role = self._roles.get(name)
            if role is None:
                role = assumed(account, name, lambda: self._to_assume(region))
        finally:
            if waited:
                self._assuming.release()
        with self._lock:
            self._roles[name] = role
            while len(self._roles) > _SESSIONS:
                self._roles.popitem(last=False)
        return role

    def _to_assume(self, region: str) -> list[Any]:
        """STS in this region first, then wherever else the account is read."""
        ambient = self._ambient()
        regions = [region, *(each for each in tuple(self._sessions) if each != region)][:3]
        with self._lock:
            for each in regions:
                if each not in self._doors:
                    session = botocore.session.Session(profile=self.profile)
                    session.register_component("data_loader", _models())
                    session.register_component("credential_provider", _Fixed(ambient))
                    self._doors[each] = session.create_client("sts", region_name=each, config=_impatient())
            return [self._doors[each] for each in regions]


def _impatient() -> Config:
    return client_config().merge(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1}))


class _Keyless(Credentials):  # type: ignore[misc]  # botocore is not typed
    """What a client holds instead of keys."""

    def __init__(self, access: Access, region: str) -> None:
        super().__init__("", "", method="runbook")
        self._access = access
        self._region = region

    def get_frozen_credentials(self) -> Any:
        return self._access.keys(self._region)


class _Signing:
    """Where the session of a region finds its credentials."""

    def __init__(self, access: Access, region: str) -> None:
        self._keyless = _Keyless(access, region)

    def load_credentials(self) -> Any:
        return self._keyless


class _Fixed:
    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials


@cache
def _models() -> Any:
    """The descriptions of the services, read once for all sessions: each is megabytes."""
    return botocore.loaders.create_loader()
