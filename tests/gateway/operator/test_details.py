"""Everything about one delivery, export or webhook: what came, was tried, was answered, and what it belongs to."""

from tests.gateway.operator.conftest import Desk


def test_an_export_tells_its_whole_story(desk: Desk) -> None:
    """The push, the attempts, the CRM's answer, and the ids under which the company is known."""
    told = desk.push("acme", company_name="Oy Samlink Ab", business_id="09704098", id="5af06d0c2b1e4c0001a7c1d2")

    found = desk.get(f"exports/{told['export_id']}")
    line, delivery = found["line"], found["delivery"]
    assert (line["company_name"], line["status"], line["unique_id"]) == ("Oy Samlink Ab", "created", told["unique_id"])
    assert found["customer_data_id"] == "5af06d0c2b1e4c0001a7c1d2"
    assert [each["what"] for each in delivery["timeline"]] == ["received", "attempt", "finished"]
    assert (delivery["timeline"][1]["outcome"], delivery["timeline"][2]["outcome"]) == ("ok", "done")
    assert delivery["answer"] == {"status": "created", "unique_id": told["unique_id"]}
    assert '"company_name": "Oy Samlink Ab"' in delivery["request"]
    company = delivery["company"]
    assert (company["record_id"], company["customer_data_id"]) == (told["unique_id"], found["customer_data_id"])
    assert company["record_url"] == f"https://app.apptivo.com/customers/{told['unique_id']}"
    assert "business_id 09704098 FI" in company["aliases"]
    assert company["export_ids"] == delivery["export_ids"] == [told["export_id"]]
    assert line["delivery_id"] in company["delivery_ids"]


def test_a_dead_letter_says_why_and_what_to_do(sqlite_desk: Desk) -> None:
    """The reason, the CRM's words, the next step; after a replay the timeline has both attempts."""
    (export_id,) = sqlite_desk.dead("Dead Oy")
    (line,) = sqlite_desk.get("dead-letters")["items"]

    found = sqlite_desk.get(f"deliveries/{line['id']}")
    assert (found["line"]["state"], found["line"]["reason"], found["line"]["replayable"]) == (
        "dead",
        "server_fault",
        True,
    )
    assert "500" in found["line"]["detail"]
    assert found["sentence"] == "It gave up: a dead letter, kept, shown, and can be replayed."
    assert "replay" in found["next_step"]
    assert found["export_ids"] == [export_id]
    assert sqlite_desk.get(f"exports/{export_id}")["line"]["status"] == "dead"


def test_work_is_called_by_the_company_that_it_is_about(desk: Desk) -> None:
    """Exports, webhooks and replays carry the company's newest name, so that nobody has to know ids."""
    told = desk.push("acme", company_name="Old Name Oy", business_id="09704098")
    desk.push("acme", company_name="New Name Oy", business_id="09704098")
    desk.hook("globex", {"contact_information": {"id": "UNKNOWN1"}})
    desk.hook("acme", {"customerId": told["unique_id"]})
    desk.dead("Dead Oy")

    named = [(each["kind"], each["company_name"]) for each in desk.get("deliveries")["items"]]
    assert sorted(named, key=str) == sorted(
        [
            ("export", "Dead Oy"),
            ("export", "New Name Oy"),
            ("export", "New Name Oy"),
            ("crm_webhook", "New Name Oy"),
            ("crm_webhook", None),
        ],
        key=str,
    )
    counted = desk.post("deliveries/replay", {"filter": {"reason": "server_fault"}, "dry_run": True})
    assert [each["company_name"] for each in counted["deliveries"]] == ["Dead Oy"]


def test_a_push_that_joined_shows_its_own_body(sqlite_desk: Desk) -> None:
    """Two equal pushes share one delivery, and each detail shows that push."""
    sqlite_desk.upstream.fault("crmcom", "503", match="contact_information")
    ids = [
        sqlite_desk.gateway.push("globex", {"company_name": "Twin Oy", "id": word}).json()["export_id"] for word in "ab"
    ]

    details = [sqlite_desk.get(f"exports/{each}") for each in ids]
    assert [each["line"]["joined"] for each in details] == [False, True]
    assert ['"id": "a"' in details[0]["delivery"]["request"], '"id": "b"' in details[1]["delivery"]["request"]] == [
        True
    ] * 2
    assert details[0]["delivery"]["export_ids"] == ids
    assert [each["what"] for each in details[0]["delivery"]["timeline"]].count("accepted") == 2


def test_a_webhook_is_shown_under_its_senders_id(sqlite_desk: Desk) -> None:
    """Its body, why it was ignored, and what to do."""
    hook_id = sqlite_desk.hook("globex", {"something": "else"})

    found = sqlite_desk.get(f"webhooks/{hook_id}")
    assert (found["line"]["event_id"], found["line"]["state"]) == (hook_id, "ignored")
    assert '"something": "else"' in found["request"]
    assert found == sqlite_desk.get(f"deliveries/{found['line']['id']}")


MISSING = [
    "deliveries/4711",
    "deliveries/0",
    "deliveries/x",
    "deliveries/9223372036854775808",
    "exports/exp_01k9y3v4m2f8q7t5r6w1x0z9ab",
    "exports/1",
    "webhooks/whk_01k9y3v4m2f8q7t5r6w1x0z9ab",
    "webhooks/1",
    "syncs/1",
    "connections/nobody",
    "connections/nobody/feed/1",
    "connections/acme/feed/4711",
    "connections/acme/feed/gw_01k9y3v4m2f8q7t5r6w1x0z9ab",
    "nothing",
]


def test_what_is_not_there_is_404(sqlite_desk: Desk) -> None:
    """Of whatever kind, and however it is spelled."""
    for path in MISSING:
        answer = sqlite_desk.ask(path)
        assert answer.status_code == 404, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_largest_number_is_only_not_there(sqlite_desk: Desk) -> None:
    """A replay of a number that the document allows, and nobody has, is 404 as every other."""
    for number in (4711, 10**18 - 1, 2**63 - 2, 2**63 - 1):
        assert sqlite_desk.send(f"deliveries/{number}/replay", {}).status_code == 404, number
