"""The least a FastAPI and SQLAlchemy service does for an order that must not be placed twice; see benchmarks/orders.py.

A token is looked up, the cell locked and checked, key and order are one commit, a repeat gets the first answer.
"""

import hashlib
import json
import os
import uuid
from typing import Annotated

import psycopg
from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, create_engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(os.environ["DATABASE_URL"]), pool_size=12, max_overflow=0
)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Token(Base):
    __tablename__ = "rival_token"
    digest: Mapped[str] = mapped_column(primary_key=True)
    scopes: Mapped[str] = mapped_column(default="read trade")


class Cell(Base):
    __tablename__ = "rival_cell"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    cash: Mapped[int] = mapped_column(BigInteger, default=10_000_000_000)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    event_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    event_hash: Mapped[str] = mapped_column(default="")


class Key(Base):
    __tablename__ = "rival_key"
    __table_args__ = (UniqueConstraint("owner", "key"),)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    owner: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    body: Mapped[str | None]


class Order(Base):
    __tablename__ = "rival_order"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    cell_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rival_cell.id"))
    side: Mapped[str]
    quantity: Mapped[int] = mapped_column(BigInteger)


class Wish(BaseModel):
    side: str
    qty: str


@app.post("/v1/positions/{cell_id}/orders", status_code=201)
def place(
    cell_id: uuid.UUID,
    wish: Wish,
    response: Response,
    authorization: Annotated[str, Header()],
    idempotency_key: Annotated[str, Header()],
) -> dict[str, str | bool]:
    asked = hashlib.sha256(f"{cell_id} {wish.model_dump_json()}".encode()).hexdigest()
    with Session(engine) as session, session.begin():
        token = session.get(Token, hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest())
        if token is None:
            raise HTTPException(401)
        claim = insert(Key).values(owner=token.digest, key=idempotency_key, fingerprint=asked)
        row = session.scalar(claim.on_conflict_do_nothing().returning(Key))
        if row is None:
            response.status_code = 200
            return repeated(session, token, idempotency_key, asked)
        answer = order(session, cell_id, wish)
        row.body = json.dumps(answer)
        return answer


def repeated(session: Session, token: Token, key: str, asked: str) -> dict[str, str | bool]:
    row = session.scalars(select(Key).filter_by(owner=token.digest, key=key)).one()
    if row.fingerprint != asked:
        raise HTTPException(409)
    answer: dict[str, str | bool] = json.loads(row.body or "{}")
    return answer


def order(session: Session, cell_id: uuid.UUID, wish: Wish) -> dict[str, str | bool]:
    cell = session.get(Cell, cell_id, with_for_update=True)
    quantity = round(float(wish.qty) * 1_000_000)
    if cell is None:
        raise HTTPException(404)
    if quantity * 100 > cell.cash - cell.reserved:
        raise HTTPException(422)
    cell.reserved += quantity * 100
    placed = Order(id=uuid.uuid4(), cell_id=cell_id, side=wish.side, quantity=quantity)
    session.add(placed)
    return {"order_id": str(placed.id), "accepted": True, "position_id": str(cell_id)}
