package registry.agent.gossip;

import java.util.SortedMap;
import registry.api.Member;
import registry.server.leader.Members.Peer;
import registry.server.leader.Members.State;

/**
 * What a member says of itself, and what the others have seen of it. It is the wire form too
 * (JSON).
 *
 * @param facts what other members need to know and {@code /v1/agent/members} does not show
 * @param via the address of its process in the group, other than that of any process before it
 * @param incarnation milliseconds at which its process joined: a later one replaces an earlier one
 *     of the same name
 * @param version counts what the member itself says: a later word of its own beats what others have
 *     seen
 * @param since milliseconds at which {@code state} was entered, by the clock of whoever noticed
 */
record MemberRecord(
        String id,
        String name,
        String address,
        int port,
        boolean server,
        int rpcPort,
        SortedMap<String, String> tags,
        SortedMap<String, String> facts,
        String via,
        long incarnation,
        long version,
        State state,
        long since) {

    MemberRecord in(State next, long now) {
        return with(version, next, now);
    }

    /** This record, which replaces another: within an incarnation no version goes back. */
    MemberRecord after(MemberRecord replaced) {
        return replaced.incarnation == incarnation && replaced.version > version
                ? with(replaced.version, state, since)
                : this;
    }

    private MemberRecord with(long nextVersion, State nextState, long nextSince) {
        return new MemberRecord(
                id,
                name,
                address,
                port,
                server,
                rpcPort,
                tags,
                facts,
                via,
                incarnation,
                nextVersion,
                nextState,
                nextSince);
    }

    /** As the rest of the program knows it. */
    Peer peer() {
        return new Peer(id, name, address, server, rpcPort, state, tags, facts);
    }

    /** As {@code /v1/agent/members} shows it; the protocol numbers are Consul 1.9's. */
    Member member() {
        int status =
                switch (state) {
                    case ALIVE -> Member.ALIVE;
                    case LEAVING -> Member.LEAVING;
                    case LEFT -> Member.LEFT;
                    case FAILED -> Member.FAILED;
                };
        return new Member(name, address, port, tags, status, 1, 5, 2, 2, 5, 4);
    }
}
