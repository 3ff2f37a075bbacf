package registry.agent.config;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the defaults take from the machine. */
interface Machine {
    String hostName();

    /**
     * Addresses of the private networks of RFC 1918 and RFC 6598 on interfaces that are up,
     * loopback left out.
     */
    List<String> privateV4() throws ConfigException;

    /** The machine we run on. */
    static Machine local() {
        return new LocalMachine();
    }

    /** Asks the kernel. */
    final class LocalMachine implements Machine {
        @Override
        public String hostName() {
            try {
                return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            } catch (IOException e) {
                return "";
            }
        }

        @Override
        public List<String> privateV4() throws ConfigException {
            try {
                var found = new ArrayList<String>();
                for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
                    if (card.isUp() && !card.isLoopback()) {
                        card.inetAddresses()
                                .filter(LocalMachine::isPrivateV4)
                                .map(InetAddress::getHostAddress)
                                .forEach(found::add);
                    }
                }
                return found;
            } catch (SocketException e) {
                throw new ConfigException(
                        "Error detecting private IPv4 address: " + e.getMessage());
            }
        }

        private static boolean isPrivateV4(InetAddress address) {
            if (!(address instanceof Inet4Address)) {
                return false;
            }
            byte[] bytes = address.getAddress();
            boolean isSharedSpace = bytes[0] == 100 && (bytes[1] & 0xc0) == 64;
            return address.isSiteLocalAddress() || isSharedSpace;
        }
    }
}
