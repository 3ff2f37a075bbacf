package registry.server.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WatchesTest {
    private static final class Named implements Watches.Waiter {}

    private final List<Watches.Waiter> woken = new ArrayList<>();
    private final Watches watches = new Watches(woken::addAll);
    private final Named one = new Named();
    private final Named two = new Named();

    @Test
    void aPathWakesWhoWatchesAPrefixOfIt() {
        watches.register(List.of("kv/a"), one);
        watches.register(List.of("kv/abc"), two);
        watches.fire(List.of("kv/b", "kv", "kv/ab"));
        assertThat(woken).containsExactly(one);
        watches.fire(List.of("kv/abcd"));
        assertThat(woken).containsExactly(one, two);
    }

    @Test
    void aWaiterIsWokenOncePerRegistration() {
        watches.register(List.of("a"), one);
        watches.fire(List.of("a", "ab"));
        watches.fire(List.of("a"));
        assertThat(woken).containsExactly(one);
        watches.register(List.of("a"), one);
        watches.fire(List.of("a"));
        assertThat(woken).containsExactly(one, one);
    }

    @Test
    void nothingIsLeftOfWhoIsGone() {
        watches.register(List.of("a", "bb"), one);
        watches.register(List.of("a"), two);
        watches.deregister(List.of("a", "bb"), one);
        watches.deregister(List.of("a", "bb"), one);
        assertThat(watches.size()).isEqualTo(1);
        watches.fire(List.of("a", "bb"));
        assertThat(woken).containsExactly(two);
        assertThat(watches.size()).isZero();
    }

    @Test
    void allAreWokenTogether() {
        watches.register(List.of("a", "b"), one);
        watches.register(List.of("c"), two);
        watches.wakeAll();
        assertThat(woken).contains(one, two);
        assertThat(watches.size()).isZero();
    }
}
