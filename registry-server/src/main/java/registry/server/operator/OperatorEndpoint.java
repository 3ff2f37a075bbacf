package registry.server.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import registry.api.ApiException;
import registry.api.AutopilotConfig;
import registry.server.leader.Members;
import registry.server.operator.OperatorCalls.RaftServer;
import registry.server.operator.OperatorCalls.RaftServers;
import registry.server.operator.OperatorCalls.RemovePeer;
import registry.server.operator.OperatorCalls.ServersHealth;
import registry.server.operator.OperatorCalls.SetAutopilot;
import registry.server.operator.OperatorCalls.Transfer;
import registry.server.raft.Consensus;
import registry.server.rpc.Proposer;

/** The servers' own group, as an operator sees and changes it. Source: consul-api 3.11 */
public final class OperatorEndpoint {
    private static final String PROTOCOL = "3";

    private final Proposer proposer;
    private final Consensus consensus;
    private final Members members;
    private final Autopilot autopilot;

    public OperatorEndpoint(
            Proposer proposer, Consensus consensus, Members members, Autopilot autopilot) {
        this.proposer = proposer;
        this.consensus = consensus;
        this.members = members;
        this.autopilot = autopilot;
    }

    /** All calls by name. */
    public Map<String, Function<Object, Object>> calls() {
        return Map.of(
                OperatorCalls.SERVERS.name(), request -> servers(),
                OperatorCalls.REMOVE_PEER.name(), request -> removePeer((RemovePeer) request),
                OperatorCalls.TRANSFER.name(), request -> transfer((Transfer) request),
                OperatorCalls.AUTOPILOT.name(), request -> autopilot(),
                OperatorCalls.SET_AUTOPILOT.name(), request -> set((SetAutopilot) request),
                OperatorCalls.HEALTH.name(), request -> health());
    }

    private void requireLeader() {
        if (!consensus.isReadyLeader()) {
            throw ApiException.noLeader();
        }
    }

    private RaftServers servers() {
        requireLeader();
        List<RaftServer> servers = new ArrayList<>();
        for (Consensus.Peer peer : consensus.peers()) {
            servers.add(
                    new RaftServer(
                            peer.id(),
                            peer.node().isEmpty() ? "(unknown)" : peer.node(),
                            peer.address(),
                            peer.leader(),
                            PROTOCOL,
                            peer.voter()));
        }
        return new RaftServers(servers, 0);
    }

    /**
     * Refuses to remove a server that is alive: it would be taken in again at once. A wiped server
     * has the node id and the address of what it was, so of several the silent one is meant.
     */
    private Boolean removePeer(RemovePeer request) {
        requireLeader();
        boolean byId = !request.id().isEmpty();
        List<Consensus.Standing> named =
                consensus.standings().stream()
                        .filter(standing ->
                                byId
                                        ? standing.peer().id().equals(request.id())
                                                || standing.raftId().equals(request.id())
                                        : standing.peer().address().equals(request.address()))
                        .toList();
        if (named.isEmpty()) {
            throw ApiException.refused(
                    "%s \"%s\" was not found in the Raft configuration"
                            .formatted(
                                    byId ? "id" : "address",
                                    byId ? request.id() : request.address()));
        }
        Consensus.Standing peer =
                named.stream()
                        .filter(standing -> !standing.answers())
                        .findFirst()
                        .orElse(named.getFirst());
        if (peer.answers() && isAlive(peer)) {
            throw ApiException.refused(
                    "server \"%s\" is alive and would be taken in again: run \"leave\" on it"
                            .formatted(peer.peer().node()));
        }
        consensus.removeVoter(peer.raftId());
        return true;
    }

    private boolean isAlive(Consensus.Standing peer) {
        return members.all().stream()
                .anyMatch(member ->
                        member.id().equals(peer.peer().id())
                                && member.state() == Members.State.ALIVE);
    }

    private Boolean transfer(Transfer request) {
        requireLeader();
        consensus.transferLeadership(request.id());
        return true;
    }

    private AutopilotConfig autopilot() {
        requireLeader();
        return autopilot.config();
    }

    private Boolean set(SetAutopilot request) {
        AutopilotOp.Verb verb = request.conditional() ? AutopilotOp.Verb.CAS : AutopilotOp.Verb.SET;
        return (Boolean)
                proposer.propose(new AutopilotOp.Write(request.config(), verb, request.cas()));
    }

    private ServersHealth health() {
        requireLeader();
        return autopilot.health();
    }
}
