"""The idle bench measures ours without any peer and names those that are missing; what it costs, no test asserts."""

from tests.bench import idle


def test_ours_is_measured_and_missing_peers_are_named():
    told = idle.idling(1.0, None, poll="200ms")

    assert told["neo"]["workers_at_the_end"] == 5
    assert told["neo"]["processes"] == 1
    assert told["neo"]["rss_mib"] >= told["neo"]["pss_mib"] > 5
    for name in ("supervisor", "circus", "pm2"):
        assert told[name] == "missing (no --peers folder was given to install it in)"
