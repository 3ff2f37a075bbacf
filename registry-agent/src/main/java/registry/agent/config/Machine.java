package registry.agent.config;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the defaults take from the machine. */
interface Machine {
    /**
     * RFC 1918 and 6598, then what RFC 6890 sets apart for protocols, documentation and benchmarks;
     * not link-local.
     */
    List<Block> PRIVATE =
            List.of(
                    Block.of(10, 0, 0, 8),
                    Block.of(172, 16, 0, 12),
                    Block.of(192, 168, 0, 16),
                    Block.of(100, 64, 0, 10),
                    Block.of(192, 0, 0, 24),
                    Block.of(192, 0, 2, 24),
                    Block.of(198, 18, 0, 15),
                    Block.of(198, 51, 100, 24),
                    Block.of(203, 0, 113, 24));

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
            return address instanceof Inet4Address v4 && isPrivate(v4.getAddress());
        }
    }

    /** Whether an IPv4 address lies in one of the blocks that are not routed on the Internet. */
    static boolean isPrivate(byte[] address) {
        int bits = ByteBuffer.wrap(address).getInt();
        return PRIVATE.stream().anyMatch(block -> block.contains(bits));
    }

    /** A block of addresses, as the bits of its first one and the number of bits that count. */
    record Block(int first, int length) {
        static Block of(int a, int b, int c, int length) {
            return new Block(a << 24 | b << 16 | c << 8, length);
        }

        boolean contains(int address) {
            return (address ^ first) >>> (32 - length) == 0;
        }
    }
}
