package registry.server.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Optional;

/** What can be read from Raft's messages on their way, for who stands in between. */
public final class Wire {
    private static final byte VOTE = 2;
    private static final byte ENTRIES = 4;
    private static final int SMALL = 8 << 10;

    private Wire() {}

    /** A candidate asks for a vote, and no longer only whether it would get one. */
    public record Candidacy(long term, String candidate) {}

    /** Somebody acts as the leader of a term. */
    public record Reign(long term, String leader) {}

    public static Optional<Candidacy> candidacy(byte type, byte[] body) {
        if (type != VOTE) {
            return Optional.empty();
        }
        RequestVoteRequest request = (RequestVoteRequest) parse(type, body);
        return request.getPreVote()
                ? Optional.empty()
                : Optional.of(new Candidacy(request.getTerm(), name(request.getServerId())));
    }

    /** Large ones are not looked into: the leader sends many small ones besides. */
    public static Optional<Reign> reign(byte type, byte[] body) {
        if (type != ENTRIES || body.length > SMALL) {
            return Optional.empty();
        }
        AppendEntriesRequest request = (AppendEntriesRequest) parse(type, body);
        return Optional.of(new Reign(request.getTerm(), name(request.getServerId())));
    }

    /** Whether a reply grants what was asked for. */
    public static boolean grants(byte[] reply) {
        try {
            return RaftMessages.unwrap(reply) instanceof RequestVoteResponse vote
                    && vote.getGranted();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Message parse(byte type, byte[] body) {
        try {
            return RaftMessages.parse(type, body);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A peer's name is its raft id and a port that says nothing. */
    private static String name(String peer) {
        return peer.substring(0, peer.indexOf(':'));
    }
}
