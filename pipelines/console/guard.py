"""Who may call what: every route of the console takes one of these, and a test that walks all routes says so.

Airflow's auth manager says who is calling, ``access.yaml`` what they may do. What a path names (a request, a report, an
objection, a run) is found here, and only if it is of one of the caller's divisions; otherwise it does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, Path, Request

from pipelines.console import airflow_api, cases, forms
from pipelines.console.access import Permission, Visitor, visitor
from pipelines.console.site import Site, site
from pipelines.errors import HeduiError
from pipelines.objections import Objection, listed
from pipelines.store import ReportRow

AirflowUser = Annotated[Any, Depends(get_user)]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
RunName = Annotated[str, Path(max_length=250)]


@dataclass(eq=False)
class NotAllowedError(HeduiError):
    """The user's roles do not grant this."""

    user: str
    permission: str

    zh = "用户 {user} 没有此项权限（{permission}）"
    en = "user {user} may not do this ({permission})"
    todo = "需要时请系统管理员修改 access.yaml / an administrator grants roles in access.yaml"


@dataclass(eq=False)
class NoSuchThingError(HeduiError):
    """What a path names does not exist, or is of another division."""

    zh = "没有找到，或不属于您负责的地区"
    en = "not found, or not of a division of yours"
    todo = "返回查找申请 / go back and look for the request"


@dataclass(frozen=True)
class Call:
    """Somebody calling, and the site they call."""

    request: Request
    visitor: Visitor
    site: Site


@dataclass(frozen=True)
class CaseCall(Call):
    """A call about one request."""

    case: cases.Case


@dataclass(frozen=True)
class ReportCall(CaseCall):
    """A call about one version of a report."""

    row: ReportRow


@dataclass(frozen=True)
class ObjectionCall(CaseCall):
    """A call about one objection."""

    objection: Objection


@dataclass(frozen=True)
class RunCall(Call):
    """A call about one run of a DAG."""

    run: airflow_api.Run


class Needs:
    """A dependency: the caller is known to Airflow, holds a permission, and sends forms from here.

    Attributes:
        permission: what the route needs.
        names: parameters of the path that the dependency has looked up and checked.
    """

    names: frozenset[str] = frozenset()

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request, user: AirflowUser, sent: forms.SentToken) -> Call:
        """The call, if it is allowed."""
        return self._call(request, user, sent)

    def _call(self, request: Request, user: Any, sent: str) -> Call:
        here = site()
        caller = visitor(here.ws.root, str(user.get_name()))
        if not caller.may(self.permission):
            raise NotAllowedError(caller.name, self.permission.value)
        forms.check(request, sent, caller.name)
        return Call(request, caller, here)


class NeedsCase(Needs):
    """The same, about a request of one of the caller's divisions."""

    names = frozenset({"request_id"})

    def __call__(  # type: ignore[override]
        self, request: Request, user: AirflowUser, sent: forms.SentToken, request_id: Name
    ) -> CaseCall:
        """The call with the request."""
        return self._case(self._call(request, user, sent), request_id)

    def _case(self, call: Call, request_id: str) -> CaseCall:
        found = cases.one(call.site.store, request_id)
        if found is None or not call.visitor.sees(found.division):
            raise NoSuchThingError
        return CaseCall(call.request, call.visitor, call.site, found)


class NeedsReport(NeedsCase):
    """The same, about a version of a report."""

    names = frozenset({"report_id", "version"})

    def __call__(  # type: ignore[override]
        self, request: Request, user: AirflowUser, sent: forms.SentToken, report_id: Name, version: int
    ) -> ReportCall:
        """The call with the report's version."""
        call = self._call(request, user, sent)
        row = call.site.store.report(report_id, version)
        if row is None:
            raise NoSuchThingError
        found = self._case(call, row.request_id)
        return ReportCall(call.request, call.visitor, call.site, found.case, row)


class NeedsObjection(NeedsCase):
    """The same, about an objection."""

    names = frozenset({"objection_id"})

    def __call__(  # type: ignore[override]
        self, request: Request, user: AirflowUser, sent: forms.SentToken, objection_id: Name
    ) -> ObjectionCall:
        """The call with the objection."""
        call = self._call(request, user, sent)
        one = next((o for o in listed(call.site.store) if o.objection_id == objection_id), None)
        if one is None:
            raise NoSuchThingError
        return ObjectionCall(call.request, call.visitor, call.site, self._case(call, one.request_id).case, one)


class NeedsRun(Needs):
    """The same, about a run: all that it verifies is of the caller's divisions."""

    names = frozenset({"run_id"})

    def __call__(  # type: ignore[override]
        self, request: Request, user: AirflowUser, sent: forms.SentToken, run_id: RunName
    ) -> RunCall:
        """The call with the run."""
        call = self._call(request, user, sent)
        run = airflow_api.run(request, run_id)
        if run is None or not call.visitor.sees_all(cases.divisions_of_run(call.site, run.asked)):
            raise NoSuchThingError
        return RunCall(call.request, call.visitor, call.site, run)
