"""The official SDKs of OpenAI and Anthropic, and LangChain, for Python: unchanged, with an address and a key only.

Run by python.test.ts with URL and KEY. Each function is one promise; the first that is broken ends the program.
"""

import asyncio
import json
import os

import anthropic
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

URL = os.environ["URL"]
KEY = os.environ["KEY"]
MODEL = "mock-1"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
ROOM = [{"role": "user", "content": "What is a room?"}]


class Thing(BaseModel):
    name: str


def openai_chat():
    client = openai.OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    whole = client.chat.completions.create(model=MODEL, messages=ROOM)
    assert whole.usage.completion_tokens == 8, whole
    stream = client.chat.completions.create(
        model=MODEL, messages=ROOM, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content, text
    assert chunks[-1].usage.completion_tokens == 8, chunks[-1]

    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS, "strict": True}}]
    called = client.chat.completions.create(model=MODEL, messages=[QUESTION], tools=tools).choices[0]
    assert called.finish_reason == "tool_calls", called
    call = called.message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[QUESTION, called.message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}],
        tools=tools,
    )
    assert "get_weather says: rain." in answer.choices[0].message.content, answer
    with client.chat.completions.stream(model=MODEL, messages=[QUESTION], tools=tools) as events:
        streamed = events.get_final_completion()
    assert streamed.choices[0].message.tool_calls[0].function.arguments == '{"city":"Paris"}', streamed

    parsed = client.chat.completions.parse(model=MODEL, messages=ROOM, response_format=Thing)
    assert parsed.choices[0].message.parsed == Thing(name="room"), parsed


async def openai_async():
    client = openai.AsyncOpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    stream = await client.chat.completions.create(model=MODEL, messages=ROOM, stream=True)
    text = "".join([c.choices[0].delta.content or "" async for c in stream])
    assert len(text) > 10, text
    await client.close()


def openai_others():
    client = openai.OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    vectors = client.embeddings.create(model="mock-embedding", input=["one", "two"], dimensions=8)
    assert [len(each.embedding) for each in vectors.data] == [8, 8], vectors
    assert [each.id for each in client.models.list()] == ["mock-1", "mock-embedding"]
    for status, ask in (
        (401, lambda: openai.OpenAI(api_key="sk-wrong", base_url=f"{URL}/v1").models.list()),
        (404, lambda: client.chat.completions.create(model="nobody", messages=ROOM)),
        (400, lambda: client.chat.completions.create(model=MODEL, messages=[])),
    ):
        try:
            ask()
            raise AssertionError(f"{status} was not raised")
        except openai.APIStatusError as error:
            assert error.status_code == status, error
            assert error.request_id, error
    cut = [{"role": "user", "content": '[[mock {"fault":"middle"}]]'}]
    try:
        list(client.chat.completions.create(model=MODEL, messages=cut, stream=True))
        raise AssertionError("a cut stream was not raised")
    except openai.APIError as error:
        assert error.code == "model_failed", error


def openai_responses():
    client = openai.OpenAI(api_key=KEY, base_url=f"{URL}/v1", max_retries=0)
    whole = client.responses.create(model=MODEL, input="What is a room?")
    assert whole.status == "completed" and whole.usage.output_tokens == 8, whole
    events = list(client.responses.create(model=MODEL, input="What is a room?", stream=True))
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == whole.output_text, text
    assert events[-1].type == "response.completed", events[-1]
    assert client.responses.retrieve(whole.id).output_text == text
    parsed = client.responses.parse(model=MODEL, input="What is a room?", text_format=Thing)
    assert parsed.output_parsed == Thing(name="room"), parsed
    tools = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}]
    called = client.responses.create(model=MODEL, input=[QUESTION], tools=tools)
    call = next(item for item in called.output if item.type == "function_call")
    assert json.loads(call.arguments) == {"city": "Paris"}, call
    answer = client.responses.create(
        model=MODEL,
        previous_response_id=called.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "rain"}],
        tools=tools,
    )
    assert "get_weather says: rain." in answer.output_text, answer


def anthropic_messages():
    client = anthropic.Anthropic(api_key=KEY, base_url=URL, max_retries=0)
    whole = client.messages.create(model=MODEL, max_tokens=100, messages=ROOM)
    assert whole.stop_reason == "end_turn" and whole.usage.output_tokens == 8, whole
    with client.messages.stream(model=MODEL, max_tokens=100, messages=ROOM) as stream:
        text = "".join(stream.text_stream)
    assert text == whole.content[0].text, text
    tools = [{"name": "get_weather", "input_schema": PARAMETERS}]
    called = client.messages.create(model=MODEL, max_tokens=100, messages=[QUESTION], tools=tools)
    use = next(block for block in called.content if block.type == "tool_use")
    assert use.input == {"city": "Paris"}, called
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "rain"}
    answer = client.messages.create(
        model=MODEL,
        max_tokens=100,
        tools=tools,
        messages=[QUESTION, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}],
    )
    assert "get_weather says: rain." in answer.content[0].text, answer
    counted = client.messages.count_tokens(model=MODEL, messages=[QUESTION], tools=tools)
    assert counted.input_tokens > 10, counted
    assert [each.id for each in client.models.list()] == ["mock-1"]
    try:
        client.messages.create(model="nobody", max_tokens=1, messages=ROOM)
        raise AssertionError("404 was not raised")
    except anthropic.NotFoundError as error:
        assert error.request_id, error


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return "rain"


def langchain():
    for model in (
        ChatOpenAI(model=MODEL, api_key=KEY, base_url=f"{URL}/v1", max_retries=0),
        ChatOpenAI(model=MODEL, api_key=KEY, base_url=f"{URL}/v1", max_retries=0, use_responses_api=True),
        ChatAnthropic(model=MODEL, api_key=KEY, base_url=URL, max_retries=0),
    ):
        whole = model.invoke("What is a room?")
        text = "".join(chunk.text for chunk in model.stream("What is a room?"))
        assert text == whole.text and len(text) > 10, (model, text, whole)
        assert whole.usage_metadata["output_tokens"] == 8, whole
        bound = model.bind_tools([get_weather])
        question = HumanMessage("What is the weather in Paris?")
        called = bound.invoke([question])
        call = called.tool_calls[0]
        assert call["args"] == {"city": "Paris"}, called
        answer = bound.invoke([question, called, ToolMessage("rain", tool_call_id=call["id"])])
        assert "get_weather says: rain." in answer.text, answer
        assert model.with_structured_output(Thing).invoke("What is a room?") == Thing(name="room")
    vectors = OpenAIEmbeddings(model="mock-embedding", api_key=KEY, base_url=f"{URL}/v1", check_embedding_ctx_length=False)
    assert len(vectors.embed_query("one")) == 256


if __name__ == "__main__":
    for promise in (openai_chat, openai_others, openai_responses, anthropic_messages, langchain):
        promise()
        print(f"ok {promise.__name__}", flush=True)
    asyncio.run(openai_async())
    print("ok openai_async", flush=True)
