package registry.server.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import registry.server.cluster.ServerFacts.Promise;

/**
 * How servers that know no cluster come to one: they find it, or found it together. Two never come
 * to be, whatever each of them sees of the others and when:
 *
 * <ul>
 *   <li>A server gives one promise in its disk's life, on disk before anybody hears of it: a new
 *       cluster's id and its first voters.
 *   <li>It takes part when all of those voters have given the same promise, or one of them takes
 *       part already.
 * </ul>
 *
 * Two promises that share a voter can't both be kept, so one that shares a voter with a cluster
 * that exists is void, and its holder joins that cluster.
 */
final class Founding {
    /** What to do next. */
    sealed interface Step {
        /** Look again when something has changed. */
        record Wait(String why) implements Step {}

        /** Give a promise. */
        record Give(Promise promise) implements Step {}

        /** The promise is kept by all: take part. */
        record TakePart() implements Step {}

        /** There is a cluster: ask to be let in. */
        record Join(String clusterId) implements Step {}

        /** Nothing that this server may decide. */
        record Stuck(String why) implements Step {}
    }

    private Founding() {}

    /**
     * @param self this server
     * @param others all other servers that gossip says are alive
     * @param mayFoundAlone true when nobody is to be looked for any longer; of account only to a
     *     server that expects itself alone
     */
    static Step next(
            ServerFacts self,
            Collection<ServerFacts> others,
            boolean mayFoundAlone,
            Supplier<String> newId) {
        Set<String> clusters =
                others.stream()
                        .map(ServerFacts::clusterId)
                        .filter(id -> !id.isEmpty())
                        .collect(Collectors.toSet());
        if (self.promise().isGiven()) {
            return keep(self, others, clusters);
        }
        if (clusters.size() == 1) {
            return new Step.Join(clusters.iterator().next());
        }
        if (clusters.size() > 1) {
            return new Step.Stuck(
                    "gossip knows several clusters, "
                            + clusters
                            + ", and this server belongs to none");
        }
        if (self.expect() == 1) {
            return mayFoundAlone
                    ? new Step.Give(new Promise(newId.get(), List.of(self.raftId())))
                    : new Step.Wait("looking for a cluster before founding one");
        }
        return found(self, others, newId);
    }

    private static Step keep(
            ServerFacts self, Collection<ServerFacts> others, Set<String> clusters) {
        Promise mine = self.promise();
        if (clusters.contains(mine.clusterId())) {
            return new Step.TakePart();
        }
        Set<String> missing = new HashSet<>(mine.founders());
        missing.remove(self.raftId());
        boolean broken = false;
        for (ServerFacts other : others) {
            if (!mine.founders().contains(other.raftId())) {
                continue;
            }
            if (other.promise().equals(mine)) {
                missing.remove(other.raftId());
            } else {
                broken |= other.promise().isGiven() || !other.clusterId().isEmpty();
            }
        }
        if (missing.isEmpty()) {
            return new Step.TakePart();
        }
        if (broken && clusters.size() == 1) {
            return new Step.Join(clusters.iterator().next());
        }
        return broken
                ? new Step.Stuck(
                        "servers have promised to found different clusters; stop those that are"
                                + " too many and move their data directories away")
                : new Step.Wait(
                        "waiting for %d of the %d servers that found the cluster"
                                .formatted(missing.size(), mine.founders().size()));
    }

    private static Step found(
            ServerFacts self, Collection<ServerFacts> others, Supplier<String> newId) {
        if (self.expect() == 0) {
            return new Step.Wait("no cluster is known yet, and bootstrap_expect is not set");
        }
        Set<Promise> given =
                others.stream()
                        .map(ServerFacts::promise)
                        .filter(Promise::isGiven)
                        .collect(Collectors.toSet());
        if (given.size() > 1) {
            return new Step.Stuck("servers have promised to found different clusters: " + given);
        }
        if (given.size() == 1) {
            Promise theirs = given.iterator().next();
            return theirs.founders().contains(self.raftId())
                    ? new Step.Give(theirs)
                    : new Step.Wait("others found a cluster, this server will join it");
        }
        List<String> alike = new ArrayList<>(List.of(self.raftId()));
        for (ServerFacts other : others) {
            if (other.expect() == self.expect()) {
                alike.add(other.raftId());
            } else if (other.expect() != 0) {
                return new Step.Stuck(
                        "servers with different bootstrap_expect: %d here, %d there"
                                .formatted(self.expect(), other.expect()));
            }
        }
        if (alike.size() < self.expect()) {
            return new Step.Wait(
                    "%d of %d servers are here".formatted(alike.size(), self.expect()));
        }
        alike.sort(Comparator.naturalOrder());
        List<String> founders = List.copyOf(alike.subList(0, self.expect()));
        return founders.getFirst().equals(self.raftId())
                ? new Step.Give(new Promise(newId.get(), founders))
                : new Step.Wait("another server proposes whom to found the cluster with");
    }
}
