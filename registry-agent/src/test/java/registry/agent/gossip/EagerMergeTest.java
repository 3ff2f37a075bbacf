package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EagerMergeTest {
    private final EagerMerge merging = new EagerMerge();

    @Test
    void roundsAreRareWhereAllAreAtHomeAndOftenAsSoonAsSomebodyIsMissing() {
        for (int i = 0; i < 2; i++) {
            merging.suit(5, true);
            assertThat(merging.getMaxInterval()).isEqualTo(20_000);
            assertThat(merging.getMinInterval()).isEqualTo(10_000);
            merging.suit(5, false);
            assertThat(merging.getMaxInterval()).isEqualTo(3_000);
            assertThat(merging.getMinInterval()).isEqualTo(1_000);
        }
    }

    @Test
    void roundsInALargeGroupAreRareThoughSomebodyIsMissing() {
        merging.suit(101, false);
        assertThat(merging.getMaxInterval()).isEqualTo(20_000);
    }

    @Test
    void whoWasAwayLooksForOthersThoughAllSeemToBeAtHome() {
        merging.suit(5, true);
        merging.hurry();
        merging.suit(5, true);
        merging.suit(5, false);
        merging.suit(5, true);
        assertThat(merging.getMaxInterval()).isEqualTo(3_000);
    }
}
