package registry.agent.check;

import java.io.IOException;
import java.time.Duration;

/** Passes when something accepts a connection; sends nothing. */
final class TcpCheck implements Check {
    private final String address;
    private final Duration timeout;

    TcpCheck(String address, Duration timeout) {
        this.address = address;
        this.timeout = timeout;
    }

    @Override
    public CheckResult run() throws InterruptedException {
        try {
            HostPort target = HostPort.parse(address, -1);
            Dial.connect(target.host(), target.port(), timeout).close();
            return CheckResult.passing("TCP connect " + address + ": Success");
        } catch (IOException e) {
            return CheckResult.critical(String.valueOf(e.getMessage()));
        }
    }
}
