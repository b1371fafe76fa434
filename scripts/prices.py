"""Writes sql/seed/prices.jsonl, and the test's cases beside it, from the package genai-prices (MIT, https://github.com/pydantic/genai-prices).

    python3 -m venv prices && prices/bin/pip install genai-prices && prices/bin/python scripts/prices.py

Neither the server nor its tests run this: they read what it wrote. Prices, tiers, times and rules of names are the package's facts; the
form is ours. docs/prices.md says what the fields mean.
"""

import json
import random
import warnings
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, getcontext
from importlib.metadata import version
from pathlib import Path

from genai_prices import Usage, types
from genai_prices.data import providers

getcontext().prec = 60
warnings.simplefilter("error")

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "sql/seed/prices.jsonl"
CASES = ROOT / "packages/database/test/prices.fixture.jsonl"

# Not places where a model is asked by an API that this server speaks.
LEFT_OUT = {"cursor", "elevenlabs", "github-copilot", "openai-decisions"}

# What the server counts: our name, and how many of it a price is for. What else the package knows (pages, hours, video) is not counted.
UNITS = {
    "input_mtok": ("input", 1_000_000),
    "cache_read_mtok": ("cache_read", 1_000_000),
    "cache_write_mtok": ("cache_write", 1_000_000),
    "cache_write_1h_mtok": ("cache_write_1h", 1_000_000),
    "input_audio_mtok": ("input_audio", 1_000_000),
    "input_image_mtok": ("input_image", 1_000_000),
    "output_mtok": ("output", 1_000_000),
    "output_reasoning_mtok": ("reasoning", 1_000_000),
    "output_audio_mtok": ("output_audio", 1_000_000),
    "web_searches_kcount": ("searches", 1000),
    "requests_kcount": ("requests", 1000),
}
# How a request was served, as the answer names it.
TIERS = {
    "standard": {},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
    "fast": {"service_tier": "fast", "speed": "fast"},
    "batch": {"processing": "batch"},
}
DAY = 24 * 60


def clause(match):
    """A rule of names: one member, whose name says how."""
    match match:
        case types.ClauseOr(or_=parts):
            return {"or": [clause(part) for part in parts]}
        case types.ClauseAnd(and_=parts):
            return {"and": [clause(part) for part in parts]}
        case types.ClauseEquals(equals=text):
            return {"equals": text.lower()}
        case types.ClauseStartsWith(starts_with=text):
            return {"starts": text.lower()}
        case types.ClauseEndsWith(ends_with=text):
            return {"ends": text.lower()}
        case types.ClauseContains(contains=text):
            return {"contains": text.lower()}
        case types.ClauseRegex(regex=text):
            return {"regex": text}
    raise ValueError(match)


def constraints(model):
    prices = [] if isinstance(model.prices, types.ModelPrice) else model.prices
    return [each.constraint for each in [*prices, *(model.price_variants or [])] if each.constraint is not None]


def minute(moment: time):
    return moment.hour * 60 + moment.minute


def spans(model):
    """From when to when, and in which minutes of the day (UTC), other prices may hold than in the span before."""
    days = sorted({each.start_date for each in constraints(model) if isinstance(each, types.StartDateConstraint)})
    minutes = {0, DAY}
    for each in constraints(model):
        if isinstance(each, types.TimeOfDateConstraint):
            minutes |= {minute(each.start_time), minute(each.end_time)}
    edges = sorted(minutes)
    for since, until in zip([None, *days], [*days, None]):
        for first, last in zip(edges, edges[1:]):
            yield since, until, first, last


def amounts(price):
    """(tokens of input from which it holds, US dollars)."""
    if isinstance(price, types.TieredPrices):
        return [(0, price.base), *((tier.start, tier.price) for tier in price.tiers)]
    return [(0, price)]


def context_of(model, tier):
    """The members of the package's context that this model knows for the tier."""
    known = {key for variant in model.price_variants or [] for key, value in variant.when.items()}
    return {key: value for key, value in TIERS[tier].items() if key in known}


def rows(model):
    """The prices of a model: {what is priced: [[since, until, minutes, amount], ...]}, with spans of one amount put together."""
    found: dict[tuple, list] = {}
    for tier in TIERS:
        context = context_of(model, tier)
        if tier != "standard" and not context:
            continue
        for since, until, first, last in spans(model):
            day = since or date(2000, 1, 1)
            moment = datetime.combine(day, time(first // 60, first % 60), UTC)
            standard = model.get_prices(moment)
            prices = model.get_prices(moment, context)
            for key, (unit, per) in UNITS.items():
                price = getattr(prices, key)
                if price is None or (tier != "standard" and price is getattr(standard, key)):
                    continue
                for start, amount in amounts(price):
                    line = found.setdefault((unit, tier, start, per, (first, last)), [])
                    text = format(amount.normalize(), "f")
                    if line and line[-1][1] == since and line[-1][2] == text:
                        line[-1][1] = until
                    else:
                        line.append([since, until, text])
    for (unit, tier, start, per, (first, last)), line in found.items():
        for since, until, text in line:
            row = {"unit": unit, "amount": text}
            if tier != "standard":
                row["service_tier"] = tier
            if start:
                row["tier_start"] = start
            if per != 1_000_000:
                row["per"] = per
            if since:
                row["since"] = since.isoformat()
            if until:
                row["until"] = until.isoformat()
            if (first, last) != (0, DAY):
                row["minutes"] = [first, last]
            yield row


def seed():
    yield {"source": f"genai-prices {version('genai-prices')}"}
    for provider in providers:
        if provider.id in LEFT_OUT:
            continue
        yield {
            "provider": provider.id,
            "url": provider.api_pattern,
            "others": [each for each in provider.fallback_model_providers or [] if each not in LEFT_OUT],
        }
        for model in provider.models:
            prices = list(rows(model))
            # Without any of our units it is a model for pages, hours or characters.
            if any(price["unit"] in ("input", "output", "requests") for price in prices):
                yield {"provider": provider.id, "model": model.id, "match": clause(model.match), "prices": prices}


def usage_of(random: random.Random, model):
    """Counts as the server has them, and as the package does. Audio or images of a cache are not told apart by either."""
    wide = random.choice([1000, 150_000, 600_000])
    whole = lambda: random.randrange(wide)
    parts = lambda whole, names: {
        name: random.randrange(whole // (2 * len(names)) + 1) for name in names if random.random() < 0.5
    }
    prices = model.prices if isinstance(model.prices, types.ModelPrice) else model.prices[0].prices
    read, written = prices.output_mtok is None, prices.input_mtok is None
    ours = {"input": 0 if written else whole(), "output": 0 if read else whole() // 10}
    details = {
        **parts(ours["input"], ["cacheRead", "cacheWrite", "cacheWrite1h", "audioInput", "imageInput"]),
        **parts(ours["output"], ["reasoning", "audioOutput"]),
    }
    if prices.web_searches_kcount is not None and random.random() < 0.5:
        details["searches"] = random.randrange(10)
    get = lambda name: details.get(name, 0)
    theirs = Usage(
        input_tokens=ours["input"],
        output_tokens=ours["output"],
        cache_read_tokens=get("cacheRead"),
        cache_write_tokens=get("cacheWrite") + get("cacheWrite1h"),
        cache_write_1h_tokens=get("cacheWrite1h"),
        input_audio_tokens=get("audioInput"),
        input_image_tokens=get("imageInput"),
        cache_audio_read_tokens=0,
        cache_image_read_tokens=0,
        output_reasoning_tokens=get("reasoning"),
        output_audio_tokens=get("audioOutput"),
        web_searches=get("searches"),
    )
    return {**ours, "details": details}, theirs


def is_counted(model):
    """Whether all of the model's prices are for what the server counts, so that the two can agree."""
    prices = [model.prices] if isinstance(model.prices, types.ModelPrice) else [each.prices for each in model.prices]
    return all(key in UNITS or key.startswith("cache_") for each in prices for key in each.__dict__)


def cases(count):
    chance = random.Random(15)
    known = [
        (provider, model)
        for provider in providers
        if provider.id not in LEFT_OUT
        for model in provider.models
        if is_counted(model) and any(row["unit"] in ("input", "output") for row in rows(model))
    ]
    # Half of them with what few models have: steps, times, other tiers.
    special = [(p, m) for p, m in known if constraints(m) or m.price_variants or len({r.get("tier_start") for r in rows(m)}) > 1]
    seen = datetime(2026, 11, 1, tzinfo=UTC)
    while count > 0:
        provider, model = chance.choice(special if count % 2 else known)
        # The first model that the id fits is another one: the package would be asked for that one.
        if provider.find_model(model.id) is not model:
            continue
        tier = chance.choice([each for each in TIERS if each == "standard" or context_of(model, each)])
        at = seen + timedelta(minutes=chance.randrange(-400 * DAY, 60 * DAY))
        ours, theirs = usage_of(chance, model)
        total = model.calc_price(
            theirs, provider, genai_request_timestamp=at, price_context=context_of(model, tier)
        ).total_price
        yield {
            "provider": provider.id,
            "model": model.id,
            "tier": tier,
            "at": at.isoformat().replace("+00:00", "Z"),
            "usage": ours,
            "dollars": format(Decimal(total), "f"),
        }
        count -= 1


def write(path, lines):
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines, {len(text) / 1000:.0f} kB")


write(SEED, seed())
write(CASES, cases(200))
