"""/auth, /sessions, /users, /lockdown. Who may call what stands in `web/access.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import segno
from quart import Blueprint, Response, jsonify, request
from quart_schema import validate_request

from appliance.accounts.accounts import Accounts
from appliance.accounts.caller import Role, calling
from appliance.accounts.client import knocking
from appliance.accounts.cookies import cookies, names
from appliance.accounts.pairing import Pairing
from appliance.accounts.sessions import Tokens
from appliance.accounts.store import Session, User
from appliance.accounts.users import parse_role
from appliance.errors import Invalid, NotSignedIn
from appliance.units import iso


@dataclass
class Login:
    username: str
    password: str


@dataclass
class Refresh:
    refreshToken: str | None = None


@dataclass
class Setup:
    code: str
    username: str
    password: str


@dataclass
class NewUser:
    username: str
    password: str
    role: str = "viewer"


@dataclass
class UserChange:
    username: str | None = None
    role: str | None = None
    password: str | None = None


@dataclass
class OwnChange:
    username: str | None = None
    privacy: str | None = None
    password: str | None = None
    old_password: str | None = None


@dataclass
class PairFor:
    user_id: str


@dataclass
class Number:
    number: int


@dataclass
class Claim:
    secret: str


@dataclass
class Finish:
    claim: str


def user_json(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "role": user.role.name.lower(),
        "privacy": user.privacy,
        "created_at": iso(user.created_at),
        "last_login_at": iso(user.last_login_at) if user.last_login_at else None,
    }


def session_json(session: Session, present: str | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "username": session.username,
        "role": session.role.name.lower(),
        "device": session.device_name,
        "method": session.method,
        # An open line: anyone on this Wi-Fi can read along.
        "open_line": session.channel == "plain",
        "address": session.address,
        "issued_at": iso(session.issued_at),
        "last_seen_at": iso(session.last_seen_at),
        "expires_at": iso(session.expires_at),
        "present": session.id == present,
    }


def pairing_json(pairing: Pairing) -> dict[str, Any]:
    return {
        "id": pairing.id,
        "state": pairing.state,
        "username": pairing.username,
        "device": pairing.device or None,
        "address": pairing.address or None,
        "expires_at": iso(pairing.expires_at),
    }


def _me(session: Session) -> dict[str, Any]:
    """Who is signed in, as the page greets them."""
    return {
        "id": session.user_id,
        "username": session.username,
        "role": session.role.name.lower(),
        "session": session.id,
        "device": session.device_name,
        "open_line": session.channel == "plain",
    }


def _issue(issued: Tokens, tokens_in_body: bool = True) -> Response:
    body: dict[str, Any] = {"user": _me(issued.session)}
    if tokens_in_body:
        body |= {"token": issued.access, "refreshToken": issued.refresh}
    response: Response = jsonify(body)
    for cookie in cookies(knocking().channel, issued):
        response.set_cookie(**cookie)
    return response


def blueprint(accounts: Accounts) -> Blueprint:
    routes = Blueprint("accounts", __name__)

    @routes.post("/auth/login")
    @validate_request(Login)
    async def login(data: Login) -> Response:
        """Sign in with name and password."""
        return _issue(await accounts.sign_in.by_password(data.username, data.password, knocking()))

    @routes.post("/auth/refresh")
    async def refresh() -> Response:
        """A new pair for a refresh token, from the body or the cookie."""
        sent = await request.get_json() if request.mimetype == "application/json" else None
        in_body = sent.get("refreshToken") if isinstance(sent, dict) else None
        if in_body is not None and not isinstance(in_body, str):
            raise Invalid("refreshToken", in_body, "a text is needed")
        token = in_body or request.cookies.get(names(knocking().channel).refresh)
        if not token:
            raise NotSignedIn()
        issued = await accounts.sessions.refresh(token, knocking())
        return _issue(issued, tokens_in_body=in_body is not None)

    @routes.get("/auth/setup")
    async def how_to_enter() -> dict[str, Any]:
        """Which doors there are: whether Mantel is still to be set up, and whether guests are let in."""
        return {"needs_setup": not await accounts.is_set_up(), "guest": accounts.sign_in.guests}

    @routes.post("/auth/setup")
    @validate_request(Setup)
    async def setup(data: Setup) -> Response:
        """Make the first admin with the one-time code, and sign in."""
        issued = await accounts.sign_in.by_setup_code(data.code, data.username, data.password, knocking())
        return _issue(issued)

    @routes.post("/auth/guest")
    async def guest() -> Response:
        """Enter as a guest, where the household allows it."""
        return _issue(await accounts.sign_in.as_guest(knocking()))

    @routes.post("/auth/logout")
    async def logout() -> tuple[Response, int]:
        """Sign this device out. Also right when nobody is signed in."""
        channel = knocking().channel
        await accounts.sessions.sign_out(request.cookies.get(names(channel).refresh))
        response = Response("", 204)
        for cookie in cookies(channel, None):
            response.set_cookie(**cookie)
        return response, 204

    @routes.get("/auth/me")
    async def me() -> dict[str, Any]:
        """Who is signed in here."""
        session = await accounts.sessions.get(calling().session_id or "")
        person = await accounts.users.get(session.user_id) if session.user_id else None
        return _me(session) | ({"privacy": person.privacy} if person else {})

    @routes.patch("/auth/me")
    @validate_request(OwnChange)
    async def change_me(data: OwnChange) -> dict[str, Any]:
        """Change one's own name, privacy or password (which ends one's other devices)."""
        caller = calling()
        assert caller.user_id is not None
        if data.password is not None or data.username is not None:
            await accounts.users.check_password(caller.user_id, data.old_password or "")
        return user_json(
            await accounts.users.change(
                caller.user_id,
                username=data.username,
                privacy=data.privacy,
                password=data.password,
                keep_session=caller.session_id,
            )
        )

    @routes.post("/auth/pair")
    @validate_request(PairFor)
    async def pair(data: PairFor) -> tuple[dict[str, Any], int]:
        """A QR code by which another device signs in: as oneself, or, for an admin, as anybody."""
        pairing = await accounts.pairings.issue(calling(), data.user_id)
        # Behind the # nothing reaches a log, a proxy or a link preview.
        link = f"{knocking().base()}/pair#{pairing.id}.{pairing.secret}"
        code = segno.make(link, error="m").svg_inline(scale=8, border=2)
        return pairing_json(pairing) | {"link": link, "qr_svg": code}, 201

    @routes.get("/auth/pair")
    async def pairings() -> dict[str, Any]:
        """Every open pairing, without its secret."""
        return {"items": [pairing_json(pairing) for pairing in accounts.pairings.list()]}

    @routes.get("/auth/pair/<pairing_id>")
    async def pairing(pairing_id: str) -> dict[str, Any]:
        """How a pairing stands, for who issued it; once claimed, with the numbers to pick from."""
        found = accounts.pairings.seen_by_issuer(pairing_id, calling())
        return pairing_json(found) | {"numbers": list(found.numbers)}

    @routes.post("/auth/pair/<pairing_id>/confirm")
    @validate_request(Number)
    async def confirm(pairing_id: str, data: Number) -> dict[str, Any]:
        """Pick the number that the other device shows."""
        return pairing_json(accounts.pairings.confirm(pairing_id, data.number, calling()))

    @routes.delete("/auth/pair/<pairing_id>")
    async def cancel_pairing(pairing_id: str) -> tuple[str, int]:
        """Take the code back."""
        accounts.pairings.cancel(pairing_id, calling())
        return "", 204

    @routes.post("/auth/pair/<pairing_id>/claim")
    @validate_request(Claim)
    async def claim(pairing_id: str, data: Claim) -> dict[str, Any]:
        """The scanning device: the number to show, and the claim to finish with."""
        found = accounts.pairings.claim(pairing_id, data.secret, knocking())
        return {"number": found.number, "claim": found.claim, "username": found.username}

    @routes.post("/auth/pair/<pairing_id>/finish")
    @validate_request(Finish)
    async def finish(pairing_id: str, data: Finish) -> Response:
        """The scanning device asks whether it is let in: 202 while nobody picked, then its sign-in."""
        issued = await accounts.pairings.finish(pairing_id, data.claim, knocking())
        return _issue(issued) if issued else Response("", 202)

    @routes.get("/sessions")
    async def sessions() -> dict[str, Any]:
        """Signed-in devices: one's own; an admin with `?all=1` sees everybody's."""
        caller = calling()
        everybody = request.args.get("all") == "1" and caller.may(Role.ADMIN)
        if caller.user_id is None:
            found: tuple[Session, ...] = (await accounts.sessions.get(caller.session_id or ""),)
        else:
            found = await accounts.sessions.list(None if everybody else caller.user_id)
        return {"items": [session_json(session, caller.session_id) for session in found]}

    @routes.delete("/sessions/<session_id>")
    async def end_session(session_id: str) -> tuple[str, int]:
        """Sign a device out: one's own, or as admin anybody's."""
        caller = calling()
        if caller.user_id is None and session_id != caller.session_id:
            session_id = "another guest's"
        of_user = None if caller.may(Role.ADMIN) or caller.user_id is None else caller.user_id
        await accounts.sessions.end(session_id, of_user)
        return "", 204

    @routes.get("/users")
    async def users() -> dict[str, Any]:
        """Everybody with an account."""
        return {"items": [user_json(user) for user in await accounts.users.list()]}

    @routes.post("/users")
    @validate_request(NewUser)
    async def create_user(data: NewUser) -> tuple[dict[str, Any], int]:
        """Make an account."""
        return user_json(
            await accounts.users.create(data.username, data.password, parse_role(data.role))
        ), 201

    @routes.patch("/users/<user_id>")
    @validate_request(UserChange)
    async def change_user(user_id: str, data: UserChange) -> dict[str, Any]:
        """Rename, change the role, or set a new password, which ends that person's sessions."""
        role = parse_role(data.role) if data.role is not None else None
        return user_json(
            await accounts.users.change(user_id, username=data.username, role=role, password=data.password)
        )

    @routes.delete("/users/<user_id>")
    async def delete_user(user_id: str) -> tuple[str, int]:
        """Remove an account and end its sessions. The files stay."""
        await accounts.users.remove(user_id)
        return "", 204

    @routes.post("/lockdown")
    async def lockdown() -> tuple[str, int]:
        """End every session at once, this one too."""
        await accounts.lockdown()
        return "", 204

    return routes
