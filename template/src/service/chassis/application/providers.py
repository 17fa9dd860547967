"""Where the people of a tenant may sign in: what the operator set, and what the tenant added."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import UniqueConstraint, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.database import Database
from service.chassis.application.issuers import Issuer, Issuers
from service.chassis.application.sealing import Seal, Unsealable
from service.chassis.application.tables import Table, TenantOwned
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import Conflict, Invalid, NotFound, Unavailable
from service.chassis.identity import Action, Permission, TenantId
from service.chassis.sections import IdentitySettings
from service.chassis.trust import TrustedProvider

ADMINISTER = Permission("identity-providers", Action.ADMINISTER)


class IdentityProvider(TenantOwned, Table):
    """A provider that one tenant added for its own people."""

    __tablename__ = "identity_providers"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret_sealed: Mapped[str]
    algorithm: Mapped[str]
    verified_email_only: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


@dataclass(frozen=True)
class Provider:
    """One provider as a sign-in needs it. `key` is its own part of the callback's address."""

    key: str
    client_id: str
    client_secret: str = field(repr=False)
    verified_email_only: bool
    issuer: Issuer


class Providers:
    def __init__(self, settings: IdentitySettings, database: Database, issuers: Issuers) -> None:
        self._settings, self._database, self._issuers = settings, database, issuers
        for known in settings.providers:
            issuers.configured(known.issuer, known.algorithm)

    async def find(self, tenant_id: TenantId, name: str) -> Provider:
        """A tenant that does not exist has none either: nothing here tells the two apart."""
        for known in self._settings.providers:
            if known.name == name and known.tenant in (None, tenant_id):
                return self._configured(known)
        async with self._database.transaction(tenant_id) as session:
            found = select(IdentityProvider).where(IdentityProvider.name == name)
            row = (await session.scalars(found)).one_or_none()
        if row is None:
            raise NotFound("There is no such identity provider.")
        return self._of_tenant(row)

    async def add(self, tenancy: Tenancy, given: TrustedProvider) -> UUID:
        """The id is the last part of the callback address that the provider must allow."""
        if urlsplit(given.issuer).scheme != "https" and self._issuers.production:
            raise Invalid("The issuer must be an https address.", field="issuer")
        self._issuers.typed(given.issuer, given.algorithm)
        row = IdentityProvider(
            name=given.name,
            issuer=given.issuer,
            client_id=given.client_id,
            client_secret_sealed=self._seal(tenancy.caller.tenant_id).close(
                given.client_secret.get_secret_value()
            ),
            algorithm=given.algorithm,
            verified_email_only=given.verified_email_only,
        )
        try:
            async with tenancy.transaction(ADMINISTER) as session:
                session.add(row)
        except IntegrityError as error:
            raise Conflict("There is a provider of this name already.") from error
        return row.id

    async def names(self, tenancy: Tenancy) -> Sequence[str]:
        async with tenancy.transaction(ADMINISTER) as session:
            added = select(IdentityProvider.name).order_by(IdentityProvider.name)
            return (await session.scalars(added)).all()

    async def remove(self, tenancy: Tenancy, name: str) -> None:
        async with tenancy.transaction(ADMINISTER) as session:
            gone = delete(IdentityProvider).where(IdentityProvider.name == name)
            removed = await session.scalar(gone.returning(IdentityProvider.id))
        if removed is None:
            raise NotFound("There is no such identity provider.")

    def _configured(self, known: TrustedProvider) -> Provider:
        return Provider(
            key=known.name,
            client_id=known.client_id,
            client_secret=known.client_secret.get_secret_value(),
            verified_email_only=known.verified_email_only,
            issuer=self._issuers.configured(known.issuer, known.algorithm),
        )

    def _of_tenant(self, row: IdentityProvider) -> Provider:
        try:
            secret = self._seal(row.tenant_id).open(row.client_secret_sealed)
        except Unsealable as error:
            raise Unavailable("This identity provider has to be added again.") from error
        return Provider(
            key=str(row.id),
            client_id=row.client_id,
            client_secret=secret,
            verified_email_only=row.verified_email_only,
            issuer=self._issuers.typed(row.issuer, row.algorithm),
        )

    def _seal(self, tenant_id: TenantId) -> Seal:
        """Sealed for one tenant: moved into another's row, it cannot be opened."""
        if self._settings.sealing_key is None:
            raise Unavailable("Identity providers of tenants are not enabled here.")
        key = self._settings.sealing_key.get_secret_value()
        return Seal(key, f"client secret of {tenant_id}")
