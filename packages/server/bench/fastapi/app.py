"""The same API as a careful person writes it with FastAPI, SQLAlchemy and asyncpg: a token check, a transaction that sets the tenant for
row-level security, the ORM's objects, Pydantic's answers. No limits, no leases, no log line, nothing kept while a stream runs.

Environment: DATABASE_URL (an administrator's, of an empty database), SECRET_KEY, PORT, TOKENS, DELAY (ms between tokens).
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Text, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SECRET = os.environ["SECRET_KEY"]
TOKENS = int(os.environ.get("TOKENS", "20"))
DELAY = float(os.environ.get("DELAY", "0")) / 1000
URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://").replace("postgresql://", "postgresql+asyncpg://")
engine = create_async_engine(URL, pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"))
    email: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    content: Mapped[str] = mapped_column(Text)
    response: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)


class TenantOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    name: str


class Me(BaseModel):
    id: uuid.UUID
    tenant_id: uuid.UUID
    email: str
    role: str
    created_at: datetime
    tenant: TenantOut


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    user_id: uuid.UUID
    content: str
    response: str
    status: str
    model: str
    tokens_in: int | None
    tokens_out: int | None
    created_at: datetime


class Page(BaseModel):
    data: list[MessageOut]
    next_cursor: str | None


class Question(BaseModel):
    content: str = Field(min_length=1, max_length=32000)


class Actor(BaseModel):
    tenant_id: uuid.UUID
    user_id: uuid.UUID


def actor(authorization: Annotated[str, Header()]) -> Actor:
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], audience="bench")
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    return Actor(tenant_id=claims["tenant_id"], user_id=claims["sub"])


async def session(who: Annotated[Actor, Depends(actor)]) -> AsyncIterator[AsyncSession]:
    async with sessions() as opened, opened.begin():
        await opened.execute(text("select set_config('app.tenant_id', :tenant, true)"), {"tenant": str(who.tenant_id)})
        yield opened


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        for table in ("users", "messages"):
            await connection.execute(text(f"alter table {table} enable row level security"))
            await connection.execute(text(f"alter table {table} force row level security"))
            await connection.execute(
                text(f"create policy wall on {table} using (tenant_id = current_setting('app.tenant_id')::uuid)")
            )
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(session)]
Who = Annotated[Actor, Depends(actor)]


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/sign-up")
async def sign_up() -> dict[str, str]:
    tenant, user = uuid.uuid4(), uuid.uuid4()
    async with sessions() as opened, opened.begin():
        await opened.execute(text("select set_config('app.tenant_id', :tenant, true)"), {"tenant": str(tenant)})
        opened.add(Tenant(id=tenant, name="Bench"))
        await opened.flush()
        opened.add(User(id=user, tenant_id=tenant, email=f"{user}@example.com", role="user"))
    claims = {
        "sub": str(user),
        "tenant_id": str(tenant),
        "aud": "bench",
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    return {"token": jwt.encode(claims, SECRET, algorithm="HS256")}


@app.get("/me")
async def me(who: Who, opened: Session) -> Me:
    row = (
        await opened.execute(select(User, Tenant).join(Tenant, Tenant.id == User.tenant_id).where(User.id == who.user_id))
    ).one_or_none()
    if row is None:
        raise HTTPException(401)
    user, tenant = row
    return Me(
        id=user.id,
        tenant_id=user.tenant_id,
        email=user.email,
        role=user.role,
        created_at=user.created_at,
        tenant=TenantOut.model_validate(tenant),
    )


@app.get("/messages")
async def messages(who: Who, opened: Session, limit: int = 20) -> Page:
    query = select(Message).where(Message.user_id == who.user_id).order_by(Message.id.desc()).limit(limit + 1)
    rows = (await opened.scalars(query)).all()
    data = [MessageOut.model_validate(row) for row in rows[:limit]]
    return Page(data=data, next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None)


async def tokens() -> AsyncIterator[str]:
    started = asyncio.get_running_loop().time()
    for number in range(1, TOKENS + 1):
        if DELAY > 0:
            await asyncio.sleep(max(0, started + number * DELAY - asyncio.get_running_loop().time()))
        yield f"word{number % 10} "


async def begun(who: Actor, content: str) -> uuid.UUID:
    """Stores the question in a transaction of its own: no connection is held while the model talks."""
    message = Message(
        id=uuid.uuid4(),
        tenant_id=who.tenant_id,
        user_id=who.user_id,
        content=content,
        response="",
        status="streaming",
        model="mock",
        tokens_in=None,
        tokens_out=None,
    )
    async with sessions() as opened, opened.begin():
        await opened.execute(text("select set_config('app.tenant_id', :tenant, true)"), {"tenant": str(who.tenant_id)})
        opened.add(message)
    return message.id


async def ended(who: Actor, message_id: uuid.UUID, response: str) -> MessageOut:
    async with sessions() as opened, opened.begin():
        await opened.execute(text("select set_config('app.tenant_id', :tenant, true)"), {"tenant": str(who.tenant_id)})
        message = await opened.get_one(Message, message_id)
        message.response = response
        message.status = "completed"
        message.tokens_in = 4
        message.tokens_out = TOKENS
        return MessageOut.model_validate(message)


@app.post("/messages", status_code=201)
async def ask(who: Who, question: Question) -> MessageOut:
    message_id = await begun(who, question.content)
    response = "".join([token async for token in tokens()])
    return await ended(who, message_id, response)


@app.post("/messages/stream")
async def stream(who: Who, question: Question) -> StreamingResponse:
    message_id = await begun(who, question.content)

    async def events() -> AsyncIterator[str]:
        said: list[str] = []
        async for token in tokens():
            said.append(token)
            yield f"id: {message_id}:{len(said)}\ndata: {token}\n\n"
        await ended(who, message_id, "".join(said))
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
