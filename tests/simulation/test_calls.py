"""Calls between simulated studios: over real UDP, seen from both ends."""

import asyncio

import pytest

from simulation.sip_phone import SipPhone
from simulation.studio import Cause, Fault, RefusedCommand, Timings
from tests.simulation.fleets import QUICK, a_call, idle, in_call, studios, until


def cause_of_last(studio) -> Cause | None:
    return studio.history[-1].cause


def test_a_dialled_studio_rings_answers_and_both_ends_are_connected():
    async def trial():
        async with studios(2) as (one, two):
            call = a_call(one, two)
            assert call.state == "Dialling"
            await until(lambda: call.state == "Ringing")
            await until(lambda: in_call(one, two))
            (seen,) = two.calls.values()
            assert (call.direction, seen.direction) == ("Outgoing", "Incoming")
            assert (call.remote, seen.remote) == (two.spec.uri, one.spec.uri)
            assert seen.display_name == one.spec.name

    asyncio.run(trial())


@pytest.mark.parametrize("who_leaves", [0, 1])
def test_a_hang_up_at_either_end_makes_both_idle(who_leaves: int):
    async def trial():
        async with studios(2) as both:
            a_call(*both)
            await until(lambda: in_call(*both))
            leaver, other = both[who_leaves], both[1 - who_leaves]
            leaver.hang_up(next(iter(leaver.calls)))
            await until(lambda: idle(*both))
            assert cause_of_last(leaver) is Cause.LOCAL_DISCONNECT
            assert cause_of_last(other) is Cause.REMOTE_DISCONNECT

    asyncio.run(trial())


def test_a_studio_in_a_call_is_busy_to_a_third_and_stays_in_its_call():
    async def trial():
        async with studios(3) as (one, two, three):
            a_call(one, two)
            await until(lambda: in_call(one, two))
            a_call(three, two)
            await until(lambda: idle(three))
            assert cause_of_last(three) is Cause.REMOTE_BUSY
            assert in_call(one, two)

    asyncio.run(trial())


def test_a_host_that_dials_while_in_calls_mixes_them_in_one_conference():
    async def trial():
        async with studios(4) as (host, *guests):
            calls = [a_call(host, guest) for guest in guests]
            await until(lambda: in_call(host, *guests))
            assert len({call.conference_id for call in calls}) == 1
            host.hang_up(calls[0].call_id)
            await until(lambda: idle(guests[0]))
            assert in_call(host, *guests[1:])

    asyncio.run(trial())


def test_a_call_hung_up_while_it_rings_is_cancelled_at_both_ends():
    async def trial():
        async with studios(2, Timings(ring=(60, 60), sip_t1=0.03)) as (one, two):
            call = a_call(one, two)
            await until(lambda: call.state == "Ringing" and two.calls)
            one.hang_up(call.call_id)
            await until(lambda: idle(one, two))

    asyncio.run(trial())


def test_a_ringing_studio_can_decline_by_hand():
    async def trial():
        async with studios(2, Timings(ring=(60, 60), sip_t1=0.03)) as (one, two):
            a_call(one, two)
            await until(lambda: two.calls)
            two.hang_up(next(iter(two.calls)))
            await until(lambda: idle(one, two))
            assert cause_of_last(one) is Cause.REMOTE_REJECTED

    asyncio.run(trial())


def test_a_call_hung_up_before_anyone_heard_of_it_is_cancelled_once_the_far_end_rings():
    async def trial():
        async with studios(2, Timings(ring=(60, 60), sip_t1=0.03)) as (one, two):
            call = a_call(one, two)
            one.hang_up(call.call_id)
            await until(lambda: two.history)
            assert idle(one, two)
            assert two.history[-1].connected_at is None

    asyncio.run(trial())


def test_a_call_hung_up_while_the_far_ends_answer_was_under_way_ends_with_a_goodbye():
    async def trial():
        async with studios(2, Timings(ring=(0, 0), sip_t1=0.03)) as (one, two):
            call = a_call(one, two)
            await until(lambda: call.state == "Ringing" or in_call(two))
            one.hang_up(call.call_id)
            await until(lambda: two.history)
            assert idle(one, two)

    asyncio.run(trial())


def test_a_number_of_nobody_is_unknown_and_a_name_cannot_be_dialled():
    async def trial():
        async with studios(2) as (one, two):
            one.dial(f"nobody@{two.spec.address}")
            await until(lambda: idle(one))
            assert cause_of_last(one) is Cause.UNKNOWN_REMOTE_SITE
            with pytest.raises(RefusedCommand):
                one.dial("someone@example.org")
            assert idle(one)

    asyncio.run(trial())


def test_a_studio_cannot_call_itself():
    async def trial():
        async with studios(1) as (one,):
            a_call(one, one)
            await until(lambda: idle(one))
            assert cause_of_last(one) is Cause.REMOTE_BUSY

    asyncio.run(trial())


def test_a_busy_studio_shows_a_call_that_is_not_ours_and_refuses_others():
    async def trial():
        async with studios(2) as (one, two):
            two.suffer(Fault.BUSY)
            (foreign,) = two.calls.values()
            assert foreign.state == "Connected"
            assert one.spec.address not in foreign.remote
            a_call(one, two)
            await until(lambda: idle(one))
            assert cause_of_last(one) is Cause.REMOTE_BUSY
            with pytest.raises(RefusedCommand):
                a_call(two, one)
            two.suffer(Fault.CLEAR)
            assert idle(two)
            a_call(one, two)
            await until(lambda: in_call(one, two))

    asyncio.run(trial())


def test_a_declining_studio_rejects():
    async def trial():
        async with studios(2) as (one, two):
            two.suffer(Fault.DECLINES)
            a_call(one, two)
            await until(lambda: idle(one))
            assert cause_of_last(one) is Cause.REMOTE_REJECTED

    asyncio.run(trial())


def test_a_dropping_studio_hangs_up_a_little_after_it_connected():
    async def trial():
        async with studios(2) as (one, two):
            two.suffer(Fault.DROPS)
            a_call(one, two)
            await until(lambda: in_call(one, two))
            await until(lambda: idle(one, two))
            assert cause_of_last(two) is Cause.OTHER_LOCAL
            assert cause_of_last(one) is Cause.OTHER_REMOTE, "the far end sees that nobody hung up"

    asyncio.run(trial())


def test_a_call_to_a_dead_studio_gets_no_answer():
    async def trial():
        async with studios(2) as (one, two):
            two.suffer(Fault.DEAD)
            call = a_call(one, two)
            await asyncio.sleep(QUICK.sip_t1 * 10)
            assert call.state == "Dialling"
            await until(lambda: idle(one))
            assert cause_of_last(one) is Cause.REMOTE_NO_ANSWER

    asyncio.run(trial())


def test_a_studio_that_dies_leaves_the_far_end_in_the_call_and_comes_back_with_its_own():
    async def trial():
        async with studios(2) as (one, two):
            a_call(one, two)
            await until(lambda: in_call(one, two))
            two.suffer(Fault.DEAD)
            await asyncio.sleep(0.2)
            assert in_call(one)
            one.hang_up(next(iter(one.calls)))
            await asyncio.sleep(QUICK.sip_t1 * 70)
            two.suffer(Fault.CLEAR)
            assert in_call(two)
            two.hang_up(next(iter(two.calls)))
            assert idle(one, two)

    asyncio.run(trial())


def test_a_call_comes_up_and_ends_though_half_of_the_packets_are_lost(monkeypatch):
    heard = SipPhone.datagram_received
    counts: dict[int, int] = {}

    def lossy(phone, data, source):
        """Every other datagram that reaches a phone is lost, beginning with the first."""
        counts[id(phone)] = counts.get(id(phone), 0) + 1
        if counts[id(phone)] % 2 == 0:
            heard(phone, data, source)

    monkeypatch.setattr(SipPhone, "datagram_received", lossy)

    async def trial():
        async with studios(2) as (one, two):
            a_call(one, two)
            await until(lambda: in_call(one, two))
            one.hang_up(next(iter(one.calls)))
            await until(lambda: idle(one, two))

    asyncio.run(trial())


def test_forty_studios_all_call_at_once_and_all_end():
    async def trial():
        async with studios(40) as all_of_them:
            for caller, called in zip(all_of_them[::2], all_of_them[1::2], strict=True):
                a_call(caller, called)
            await until(lambda: in_call(*all_of_them))
            for caller in all_of_them[::2]:
                caller.hang_up(next(iter(caller.calls)))
            await until(lambda: idle(*all_of_them))

    asyncio.run(trial())
