package registry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TcpCheckTest {
    @Test
    void passesWhenSomeoneAccepts() throws Exception {
        try (var server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + server.getLocalPort();

            assertThat(check(address))
                    .isEqualTo(CheckResult.passing("TCP connect " + address + ": Success"));
            assertThat(check("localhost:" + server.getLocalPort()).status()).isEqualTo("passing");
        }
    }

    @Test
    void saysWhyNot() throws Exception {
        int port = HttpCheckTest.freePort();

        assertThat(check("127.0.0.1:" + port))
                .isEqualTo(
                        CheckResult.critical(
                                "dial tcp 127.0.0.1:" + port + ": connect: connection refused"));
        assertThat(check("no-such-host.invalid:80"))
                .isEqualTo(
                        CheckResult.critical(
                                "dial tcp: lookup no-such-host.invalid: no such host"));
        assertThat(check("127.0.0.1"))
                .isEqualTo(
                        CheckResult.critical(
                                "dial tcp: address 127.0.0.1: missing port in address"));
        assertThat(check("127.0.0.1:x"))
                .isEqualTo(CheckResult.critical("dial tcp: address x: invalid port"));
    }

    private static CheckResult check(String address) throws InterruptedException {
        return new TcpCheck(address, Duration.ofSeconds(5)).run();
    }
}
