"""The rival of `rival.py` that also throttles, asks for a scope, writes a chained event and rings a bell.

Still less than ours: it knows one portfolio without members, one price, no settings, no open orders, and logs nothing.
"""

import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import redis
from fastapi import FastAPI, Header, HTTPException, Response
from rival import Base, Cell, Key, Token, Wish, engine, order, repeated
from sqlalchemy import BigInteger, DateTime, UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

WRITES_A_MINUTE = 300
app = FastAPI()
queue = redis.Redis.from_url(os.environ["REDIS_URL"])
compact = partial(json.dumps, sort_keys=True, separators=(",", ":"))


class Event(Base):
    __tablename__ = "rival_event"
    __table_args__ = (UniqueConstraint("cell_id", "seq"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cell_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    text: Mapped[str]
    prev_hash: Mapped[str]
    hash: Mapped[str]


@app.post("/v1/positions/{cell_id}/orders", status_code=201)
def place(
    cell_id: uuid.UUID,
    wish: Wish,
    response: Response,
    authorization: Annotated[str, Header()],
    idempotency_key: Annotated[str, Header()],
) -> dict[str, str | bool]:
    asked = hashlib.sha256(f"{cell_id} {wish.model_dump_json()}".encode()).hexdigest()
    with Session(engine, expire_on_commit=False) as session, session.begin():
        token = session.get(Token, hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest())
        if token is None:
            raise HTTPException(401)
        if "trade" not in token.scopes.split():
            raise HTTPException(403)
        if written(token) > WRITES_A_MINUTE:
            raise HTTPException(429)
        claim = insert(Key).values(owner=token.digest, key=idempotency_key, fingerprint=asked)
        row = session.scalar(claim.on_conflict_do_nothing().returning(Key))
        if row is None:
            response.status_code = 200
            return repeated(session, token, idempotency_key, asked)
        answer = order(session, cell_id, wish)
        row.body = json.dumps(answer)
        session.add(event(session.get_one(Cell, cell_id), token, wish, answer))
    queue.lpush("rival:orders", compact({"task": "execute_order", "id": uuid.uuid4().hex, "kwargs": answer}))
    return answer


def written(token: Token) -> int:
    """How many writes of this minute this is."""
    key = f"rival:{token.digest}:{time.time() // 60:.0f}"
    with queue.pipeline(transaction=False) as pipeline:
        count, _ = pipeline.incr(key).expire(key, 65).execute()
    return int(count)


def event(cell: Cell, token: Token, wish: Wish, answer: dict[str, str | bool]) -> Event:
    """The next link of the cell's chain; the cell itself is in the session."""
    now = datetime.now(UTC)
    content = {"seq": cell.event_seq + 1, "type": "order_intent", "at": now.isoformat(), "actor": token.digest[:8]}
    text = compact(content | {"cell": str(cell.id), "outputs": answer | wish.model_dump(), "reserved": cell.reserved})
    linked = hashlib.sha256(f"{cell.event_hash}{text}".encode()).hexdigest()
    made = Event(cell_id=cell.id, seq=cell.event_seq + 1, at=now, text=text, prev_hash=cell.event_hash, hash=linked)
    cell.event_seq, cell.event_hash = made.seq, linked
    return made
