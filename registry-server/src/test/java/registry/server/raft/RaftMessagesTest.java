package registry.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.google.protobuf.Message;
import java.util.List;
import org.junit.jupiter.api.Test;

class RaftMessagesTest {
    /** Servers of two versions talk to each other during an upgrade: a number is for good. */
    @Test
    void eachMessageHasItsNumberForGood() {
        List<Message> byNumber =
                List.of(
                        ErrorResponse.getDefaultInstance(),
                        PingRequest.getDefaultInstance(),
                        RequestVoteRequest.getDefaultInstance(),
                        RequestVoteResponse.getDefaultInstance(),
                        AppendEntriesRequest.getDefaultInstance(),
                        AppendEntriesResponse.getDefaultInstance(),
                        InstallSnapshotRequest.getDefaultInstance(),
                        InstallSnapshotResponse.getDefaultInstance(),
                        TimeoutNowRequest.getDefaultInstance(),
                        TimeoutNowResponse.getDefaultInstance(),
                        GetFileRequest.getDefaultInstance(),
                        GetFileResponse.getDefaultInstance(),
                        ReadIndexRequest.getDefaultInstance(),
                        ReadIndexResponse.getDefaultInstance());
        for (int i = 0; i < byNumber.size(); i++) {
            assertThat(RaftMessages.number(byNumber.get(i))).isEqualTo((byte) i);
        }
    }
}
