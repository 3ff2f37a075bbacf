package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against a server of frames as RFC 9113 has them, written out. */
class GrpcCheckTest {
    private ServerSocket server;
    private String address;
    private volatile String asked = "";

    @BeforeEach
    void open() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        address = "127.0.0.1:" + server.getLocalPort();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    @ParameterizedTest
    @CsvSource({
        "00000000020801, passing, success",
        "00000000020802, critical, NOT_SERVING",
        "00000000020803, critical, SERVICE_UNKNOWN",
        "0000000000, critical, UNKNOWN"
    })
    void servingStatusIsTheResult(String message, String status, String word) throws Exception {
        serve(
                frame(4, 0, 0, "")
                        + frame(6, 0, 0, "0102030405060708")
                        + frame(1, 4, 1, "88")
                        + frame(0, 0, 1, message));

        CheckResult result = check(address + "/web");

        assertThat(result.status()).isEqualTo(status);
        assertThat(result.output()).contains(word).contains(address + "/web");
        assertThat(asked)
                .contains("/grpc.health.v1.Health/Check")
                .contains("application/grpc")
                .endsWith("\n\u0003web");
    }

    @Test
    void messageInPartsAndPaddedIsUnderstood() throws Exception {
        serve(
                frame(4, 0, 0, "")
                        + frame(1, 4, 1, "88")
                        + frame(0, 8, 1, "02" + "000000" + "ffff")
                        + frame(0, 0, 1, "00020801"));

        assertThat(check(address))
                .isEqualTo(CheckResult.passing("gRPC check " + address + ": success"));
    }

    @Test
    void answerWithoutAMessageIsCritical() throws Exception {
        serve(frame(4, 0, 0, "") + frame(1, 5, 1, "88"));

        assertThat(check(address).output())
                .endsWith(
                        "failed: the server does not know this service, or has no health service");
    }

    @Test
    void whoeverSpeaksSomethingElseIsCritical() throws Exception {
        serve(
                HexFormat.of()
                        .formatHex(
                                "HTTP/1.1 400 Bad Request\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII)));
        assertThat(check(address).output()).contains("the answer is not HTTP/2");
    }

    @Test
    void silenceAndAbsenceAreCritical() throws Exception {
        assertThat(new GrpcCheck(address, false, false, Duration.ofMillis(300)).run().output())
                .endsWith("failed: context deadline exceeded");
        server.close();
        assertThat(check(address).output()).contains("connection refused");
    }

    private static CheckResult check(String target) throws InterruptedException {
        return new GrpcCheck(target, false, false, Duration.ofSeconds(5)).run();
    }

    private static String frame(int type, int flags, int stream, String payloadHex) {
        int length = payloadHex.length() / 2;
        ByteBuffer head =
                ByteBuffer.allocate(9)
                        .put((byte) 0)
                        .putShort((short) length)
                        .put((byte) type)
                        .put((byte) flags)
                        .putInt(stream);
        return HexFormat.of().formatHex(head.array()) + payloadHex;
    }

    /** Reads preface, settings, headers and data of one call, then answers with those bytes. */
    private void serve(String answerHex) {
        Thread.ofVirtual()
                .start(() -> {
                    try (Socket socket = server.accept();
                            OutputStream out = socket.getOutputStream()) {
                        var in = new DataInputStream(socket.getInputStream());
                        assertThat(new String(in.readNBytes(24), StandardCharsets.US_ASCII))
                                .startsWith("PRI * HTTP/2.0");
                        var all = new StringBuilder();
                        for (int type = -1; type != 0; ) {
                            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
                            type = in.readUnsignedByte();
                            in.readNBytes(5);
                            all.append(
                                    new String(in.readNBytes(length), StandardCharsets.ISO_8859_1));
                        }
                        asked = all.toString();
                        out.write(HexFormat.of().parseHex(answerHex));
                        out.flush();
                        in.readAllBytes();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }
}
