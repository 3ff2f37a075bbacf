package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import registry.agent.gossip.Holders.Holder;
import registry.server.leader.Members.State;

class HoldersTest {
    private final Holders holders = new Holders();
    private final Holder member =
            new Holder(
                    new MemberRecord(
                            "id",
                            "n2",
                            "127.0.0.1",
                            1,
                            true,
                            0,
                            new TreeMap<>(),
                            new TreeMap<>(),
                            "via",
                            1,
                            1,
                            State.ALIVE,
                            1),
                    0);

    /**
     * A server that was known by hearsay alone was never asked what it expects: no cluster began.
     */
    @Test
    void whoIsKnownByHearsayHasNotSpoken() {
        holders.putHearsay(member);
        assertThat(holders.contains("via")).isTrue();
        assertThat(holders.hasSpoken("via")).isFalse();

        assertThat(holders.put(member)).isNull();
        assertThat(holders.hasSpoken("via")).isTrue();
        assertThat(holders.put(member)).isEqualTo(member);

        holders.remove("via");
        holders.putHearsay(member);
        assertThat(holders.hasSpoken("via")).isFalse();
    }
}
