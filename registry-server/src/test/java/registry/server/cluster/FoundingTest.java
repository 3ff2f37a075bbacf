package registry.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import registry.server.cluster.Founding.Step;
import registry.server.cluster.ServerFacts.Promise;

class FoundingTest {
    private static final Promise ABC = new Promise("c1", List.of("a", "b", "c"));
    private static final Promise BCD = new Promise("c2", List.of("b", "c", "d"));

    private static ServerFacts fresh(String id, int expect) {
        return new ServerFacts(id, "", expect, Promise.NONE);
    }

    private static ServerFacts holds(String id, Promise promise) {
        return new ServerFacts(id, "", 3, promise);
    }

    private static ServerFacts takesPart(String id, Promise promise) {
        return new ServerFacts(id, promise.clusterId(), 3, promise);
    }

    private static Step next(ServerFacts self, ServerFacts... others) {
        return Founding.next(self, List.of(others), true, () -> "new");
    }

    @Test
    void waitsUntilAllAreHereThenOneProposes() {
        assertThat(next(fresh("a", 3), fresh("b", 3))).isInstanceOf(Step.Wait.class);
        assertThat(next(fresh("a", 3), fresh("c", 3), fresh("b", 3)))
                .isEqualTo(new Step.Give(new Promise("new", List.of("a", "b", "c"))));
        assertThat(next(fresh("b", 3), fresh("c", 3), fresh("a", 3))).isInstanceOf(Step.Wait.class);
    }

    @Test
    void adoptsThePromiseOfAnotherIfItIsNamedThere() {
        assertThat(next(fresh("b", 3), holds("a", ABC), fresh("c", 3)))
                .isEqualTo(new Step.Give(ABC));
        assertThat(next(fresh("d", 3), holds("a", ABC), fresh("c", 3)))
                .isInstanceOf(Step.Wait.class);
    }

    @Test
    void takesPartOnlyWhenAllHaveGivenThePromiseOrOneTakesPart() {
        assertThat(next(holds("a", ABC), holds("b", ABC), fresh("c", 3)))
                .isInstanceOf(Step.Wait.class);
        assertThat(next(holds("a", ABC), holds("b", ABC), holds("c", ABC)))
                .isInstanceOf(Step.TakePart.class);
        assertThat(next(holds("a", ABC), takesPart("c", ABC))).isInstanceOf(Step.TakePart.class);
    }

    @Test
    void aServerThatExpectsItselfAloneJoinsWhatIsThere() {
        assertThat(next(fresh("x", 1), takesPart("a", ABC))).isEqualTo(new Step.Join("c1"));
        assertThat(next(fresh("x", 1))).isEqualTo(new Step.Give(new Promise("new", List.of("x"))));
        assertThat(Founding.next(fresh("x", 1), List.of(), false, () -> "new"))
                .isInstanceOf(Step.Wait.class);
    }

    @Test
    void differentPromisesStopLoudlyUntilAClusterExists() {
        assertThat(next(holds("a", ABC), holds("b", BCD))).isInstanceOf(Step.Stuck.class);
        assertThat(next(fresh("c", 3), holds("a", ABC), holds("b", BCD)))
                .isInstanceOf(Step.Stuck.class);
        assertThat(next(holds("a", ABC), takesPart("b", BCD), takesPart("c", BCD)))
                .isEqualTo(new Step.Join("c2"));
    }

    @Test
    void differentExpectationsAndSeveralClustersAreRefused() {
        assertThat(next(fresh("a", 3), fresh("b", 5), fresh("c", 3)))
                .isInstanceOf(Step.Stuck.class);
        assertThat(next(fresh("x", 3), takesPart("a", ABC), takesPart("d", BCD)))
                .isInstanceOf(Step.Stuck.class);
        assertThat(next(fresh("x", 0))).isInstanceOf(Step.Wait.class);
    }

    /** Whatever each sees of the others, and when: never two clusters. */
    @Test
    void neverTwoClustersWhateverEachSees() {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        int founded = 0;
        for (int run = 0; run < 3_000; run++) {
            List<ServerFacts> servers = new ArrayList<>();
            for (int i = 0; i < 3 + random.nextInt(4); i++) {
                servers.add(fresh("s" + i, 3));
            }
            for (int step = 0; step < 80; step++) {
                int who = random.nextInt(servers.size());
                List<ServerFacts> seen = seenBy(who, servers, random);
                ServerFacts self = servers.get(who);
                if (self.clusterId().isEmpty()) {
                    servers.set(who, after(self, seen, "c" + run + "-" + step));
                }
            }
            Set<String> clusters = new HashSet<>();
            servers.forEach(server -> clusters.add(server.clusterId()));
            clusters.remove("");
            assertThat(clusters).as("seed %d, run %d", seed, run).hasSizeLessThanOrEqualTo(1);
            founded += clusters.size();
        }
        assertThat(founded).as("seed %d", seed).isGreaterThan(300);
    }

    private static List<ServerFacts> seenBy(int who, List<ServerFacts> servers, Random random) {
        List<ServerFacts> seen = new ArrayList<>(servers);
        seen.remove(who);
        Collections.shuffle(seen, random);
        return seen.subList(0, seen.size() - random.nextInt(Math.min(3, seen.size())));
    }

    private static ServerFacts after(ServerFacts self, List<ServerFacts> seen, String id) {
        return switch (Founding.next(self, seen, true, () -> id)) {
            case Step.Give give -> holds(self.raftId(), give.promise());
            case Step.TakePart part -> takesPart(self.raftId(), self.promise());
            case Step.Join join ->
                    new ServerFacts(self.raftId(), join.clusterId(), 3, Promise.NONE);
            case Step.Wait wait -> self;
            case Step.Stuck stuck -> self;
        };
    }
}
