package registry.agent.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import registry.agent.check.CheckHistory.Transition;
import registry.server.storage.NodeStore;

class LocalStoreTest {
    @TempDir Path dir;
    private NodeStore nodeStore;
    private LocalStore store;

    @BeforeEach
    void open() throws Exception {
        nodeStore = NodeStore.open(dir);
        store = new LocalStore(nodeStore);
    }

    @AfterEach
    void close() {
        store.close();
        nodeStore.close();
    }

    @Test
    void nodeIdIsKept() throws Exception {
        String first = store.nodeId("");
        assertThat(first).hasSize(36);
        close();
        open();

        assertThat(store.nodeId("")).isEqualTo(first);
        assertThat(store.nodeId("configured")).isEqualTo("configured");
        assertThat(store.nodeId("")).isEqualTo("configured");
    }

    @Test
    void lastHundredTransitionsAreKept() throws Exception {
        append("a", 0, 150);
        append("a b", 0, 3);
        close();
        open();

        assertThat(store.of("a")).hasSize(100);
        assertThat(store.of("a").getFirst().output()).isEqualTo("50");
        assertThat(store.of("a").getLast().output()).isEqualTo("149");
        assertThat(store.of("a b")).hasSize(3);
        assertThat(store.nextTransition("a")).isEqualTo(150);
        assertThat(store.nextTransition("b")).isZero();
    }

    @Test
    void historyOfARemovedCheckIsForgottenAfterADay() {
        Instant went = Instant.parse("2026-03-01T10:00:00Z");
        append("a", 0, 3);
        append("b", 0, 3);
        append("back", 0, 3);
        try (var changes = store.changes()) {
            changes.checkWent("a", went);
            changes.checkWent("back", went);
            changes.checkCame("back");
            changes.write();
        }

        store.forgetOld(went.plus(Duration.ofHours(23)));
        assertThat(store.of("a")).hasSize(3);
        store.forgetOld(went.plus(Duration.ofHours(25)));
        assertThat(store.of("a")).isEmpty();
        assertThat(store.of("b")).hasSize(3);
        assertThat(store.of("back")).hasSize(3);
    }

    @Test
    void resultsComeBackAsTheyWere() {
        try (var changes = store.changes()) {
            changes.putResult("Web", new LocalStore.Result("warning", "é\n", 12, 34));
            changes.write();
        }

        assertThat(store.load().results())
                .containsOnlyKeys("web")
                .containsValue(new LocalStore.Result("warning", "é\n", 12, 34));
    }

    private void append(String id, int from, int to) {
        try (var changes = store.changes()) {
            for (int number = from; number < to; number++) {
                changes.putTransition(
                        id, number, new Transition("t", "", "passing", String.valueOf(number)));
            }
            changes.write();
        }
    }
}
