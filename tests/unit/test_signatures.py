"""Signed as Standard Webhooks says: the reference package and we believe the same deliveries, and nothing forged."""

import base64
import hashlib
import hmac
import random
import string
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from tests.deliveries import NEW, OLD, signed
from trading.domain.signatures import Delivery, is_signed, key_of, signature

BODY = '{"type":"heartbeat","timestamp":"2007-01-03T17:00:00Z","note":"é€𝄞"}'
FORGERIES = 10_000


def now() -> float:
    """Asked when it is needed: a whole run of the tests may take longer than a signature is believed."""
    return datetime.now(tz=UTC).timestamp()


def delivery(body: str = BODY, **how: object) -> Delivery:
    headers = signed(body, **how)  # type: ignore[arg-type]
    return Delivery(body.encode(), *headers.values())


@pytest.mark.parametrize("body", ["{}", BODY, "", " \n", "x" * 60_000])
def test_what_the_reference_signs_is_believed(body: str) -> None:
    assert is_signed(delivery(body), [NEW], now())


@pytest.mark.parametrize("body", ["{}", BODY, "[1, 2]"])
def test_what_we_sign_the_reference_believes(body: str) -> None:
    ours = Delivery(body.encode(), "msg_1", str(int(now())), "")
    headers = {"webhook-id": ours.id, "webhook-timestamp": ours.timestamp}
    Webhook(NEW).verify(body, headers | {"webhook-signature": signature(key_of(NEW), ours).decode()})


def test_the_signature_is_the_one_of_the_published_example() -> None:
    """Keys, headers, body and signature as the specification's own test has them."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    example = Delivery(b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "")
    assert signature(key_of(secret), example) == b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(("seconds", "believed"), [(-299, True), (299, True), (-302, False), (302, False)])
def test_five_minutes_either_way_and_no_more(seconds: int, believed: bool) -> None:
    assert is_signed(delivery(seconds=seconds), [NEW], datetime.now(tz=UTC).timestamp()) is believed


def test_while_secrets_change_over_both_open_and_a_third_does_not() -> None:
    by_old = delivery(secret=OLD)
    assert is_signed(by_old, [NEW, OLD], now())
    assert not is_signed(by_old, [NEW], now())
    assert not is_signed(by_old, [NEW, NEW, OLD], now())


def test_one_good_signature_among_several_is_enough() -> None:
    good = delivery()
    for several in (f"v1a,{'A' * 88} {good.signature}", f"{good.signature} v1,AAAA", f"v1,ö {good.signature} v2"):
        assert is_signed(good._replace(signature=several), [NEW], now())


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_é", "whsec_*", "whsec_" + "A" * 31])
def test_what_is_no_secret_opens_nothing(secret: str) -> None:
    ours = delivery()
    short = hmac.new(b"", b".".join([ours.id.encode(), ours.timestamp.encode(), ours.body]), hashlib.sha256).digest()
    forged = ours._replace(signature="v1," + base64.b64encode(short).decode())
    assert not is_signed(forged, [secret], now())


def test_none_of_ten_thousand_forgeries_is_believed() -> None:
    chance = random.Random(4)
    good = delivery()
    believed = [
        forgery for forgery in (forged(good, chance) for _ in range(FORGERIES)) if is_signed(forgery, [NEW, OLD], now())
    ]
    assert believed == []
    assert is_signed(good, [NEW, OLD], now())


def forged(good: Delivery, chance: random.Random) -> Delivery:
    """The genuine delivery with one thing about it changed."""
    return chance.choice([other_body, other_id, other_time, other_signature, other_secret, moved_stop, odd_header])(
        good, chance
    )


def other_body(good: Delivery, chance: random.Random) -> Delivery:
    place, flip = chance.randrange(len(good.body)), chance.randrange(1, 256)
    bodies = [
        good.body[:place] + bytes([good.body[place] ^ flip]) + good.body[place + 1 :],
        good.body[:place] + good.body[place + 1 :],
        good.body[:place] + bytes([flip]) + good.body[place:],
        good.body.decode().encode("utf-16"),
        good.body + b"\n",
    ]
    return good._replace(body=chance.choice(bodies))


def other_id(good: Delivery, chance: random.Random) -> Delivery:
    ids = ["", good.id + chance.choice(string.printable), good.id[:-1], good.id.upper(), "msg.1", "é", "x" * 161]
    return good._replace(id=chance.choice(ids))


def other_time(good: Delivery, chance: random.Random) -> Delivery:
    moved = str(int(good.timestamp) + chance.choice([-1, 1]) * chance.randrange(1, 10**6))
    odd = [
        "",
        "now",
        "-1",
        "1e9",
        " " + good.timestamp,
        good.timestamp + ".0",
        "٣",
        "9" * 400,
        "0x10",
        "+" + good.timestamp,
    ]
    return good._replace(timestamp=chance.choice([moved, moved, moved, *odd]))


def other_signature(good: Delivery, chance: random.Random) -> Delivery:
    """Base64 has spare bits: a signature that reads otherwise is another one, even where it decodes to the same."""
    text = good.signature
    place = chance.randrange(len(text))
    letter = chance.choice([one for one in string.ascii_letters + string.digits + "+/=-_é" if one != text[place]])
    return good._replace(signature=text[:place] + letter + text[place + 1 :])


def other_secret(good: Delivery, chance: random.Random) -> Delivery:
    key = bytes(chance.randrange(256) for _ in range(chance.choice([0, 1, 24, 32, 64])))
    return good._replace(signature=signature(key, good).decode())


def moved_stop(good: Delivery, chance: random.Random) -> Delivery:
    """The same signed bytes, parted elsewhere."""
    whole = f"{good.id}.{good.timestamp}.{good.body.decode()}"
    first, second = sorted(chance.sample(range(len(whole)), 2))
    moved = Delivery(whole[second + 1 :].encode(), whole[:first], whole[first + 1 : second], good.signature)
    return moved if moved[:3] != good[:3] else good._replace(id="")


def odd_header(good: Delivery, chance: random.Random) -> Delivery:
    digest = good.signature.removeprefix("v1,")
    odd = [
        "",
        "v1",
        "v1,",
        ",",
        digest,
        f"v2,{digest}",
        f"V1,{digest}",
        f"v1,{digest},",
        f"v1;{digest}",
        f"v1, {digest}",
    ]
    odd += [
        good.signature.lower(),
        f"v1,{base64.b64decode(digest).hex()}",
        "v1,Ã" * 99,
        " " * 9_000,
        "v1," + "A" * 9_000,
    ]
    odd += [" ".join(["v1,AAAA"] * 16 + [good.signature])]
    return good._replace(signature=chance.choice(odd))
