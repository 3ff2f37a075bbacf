package registry.server.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The engine's messages and their numbers on the wire. */
final class RaftMessages {
    /** A message's number is its place: append only. */
    private static final List<Message> TYPES =
            List.of(
                    RpcRequests.ErrorResponse.getDefaultInstance(),
                    RpcRequests.PingRequest.getDefaultInstance(),
                    RpcRequests.RequestVoteRequest.getDefaultInstance(),
                    RpcRequests.RequestVoteResponse.getDefaultInstance(),
                    RpcRequests.AppendEntriesRequest.getDefaultInstance(),
                    RpcRequests.AppendEntriesResponse.getDefaultInstance(),
                    RpcRequests.InstallSnapshotRequest.getDefaultInstance(),
                    RpcRequests.InstallSnapshotResponse.getDefaultInstance(),
                    RpcRequests.TimeoutNowRequest.getDefaultInstance(),
                    RpcRequests.TimeoutNowResponse.getDefaultInstance(),
                    RpcRequests.GetFileRequest.getDefaultInstance(),
                    RpcRequests.GetFileResponse.getDefaultInstance(),
                    RpcRequests.ReadIndexRequest.getDefaultInstance(),
                    RpcRequests.ReadIndexResponse.getDefaultInstance());

    private static final Map<Class<?>, Byte> NUMBERS = numbers();

    private RaftMessages() {}

    private static Map<Class<?>, Byte> numbers() {
        Map<Class<?>, Byte> numbers = new HashMap<>();
        for (Message type : TYPES) {
            numbers.put(type.getClass(), (byte) numbers.size());
        }
        return numbers;
    }

    static byte number(Message message) {
        Byte number = NUMBERS.get(message.getClass());
        if (number == null) {
            throw new IllegalArgumentException("no number for " + message.getClass().getName());
        }
        return number;
    }

    static Message parse(byte number, byte[] body) throws InvalidProtocolBufferException {
        if (number < 0 || number >= TYPES.size()) {
            throw new InvalidProtocolBufferException("message of type " + number);
        }
        return TYPES.get(number).getParserForType().parseFrom(body);
    }

    /** A reply says itself what it is: an error is as good an answer as the one expected. */
    static byte[] wrap(Message reply) {
        byte[] body = reply.toByteArray();
        return ByteBuffer.allocate(1 + body.length).put(number(reply)).put(body).array();
    }

    static Message unwrap(byte[] reply) throws InvalidProtocolBufferException {
        if (reply.length == 0) {
            throw new InvalidProtocolBufferException("an empty reply");
        }
        return parse(reply[0], Arrays.copyOfRange(reply, 1, reply.length));
    }
}
