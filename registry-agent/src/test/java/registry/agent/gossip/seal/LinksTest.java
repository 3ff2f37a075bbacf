package registry.agent.gossip.seal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LinksTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final String ONE = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final String TWO = "i0P+gFTkLPg0h53eNYjydg==";

    /** What the transport says first: cookie, version, size of the address, address. */
    private static final byte[] GREETING =
            ByteBuffer.allocate(15)
                    .put("bela".getBytes(US_ASCII))
                    .putShort((short) 5)
                    .putShort((short) 7)
                    .put(new byte[] {4, 127, 0, 0, 1, 1, 2})
                    .array();

    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final Deque<AutoCloseable> opened = new ConcurrentLinkedDeque<>();

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private static Keyring ring(String key) throws IOException {
        return Keyring.open(key, null, true, true);
    }

    /** A member that notes who got in. */
    private final class Host {
        final Links links;
        final ServerSocket door;
        final BlockingQueue<Socket> admitted = new LinkedBlockingQueue<>();

        Host(Keyring ring) throws IOException {
            links = new Links(ring, PATIENCE);
            door = links.door();
            door.bind(new InetSocketAddress(LOOPBACK, 0));
            opened.push(door);
            Thread.startVirtualThread(() -> {
                try {
                    while (true) {
                        admitted.add(door.accept());
                    }
                } catch (IOException closed) {
                    // The end of the test.
                }
            });
        }

        InetSocketAddress at() {
            return (InetSocketAddress) door.getLocalSocketAddress();
        }

        @Nullable Socket next() throws InterruptedException {
            Socket socket = admitted.poll(10, SECONDS);
            if (socket != null) {
                opened.push(socket);
            }
            return socket;
        }
    }

    private Socket dial(Links links, Host host) throws IOException {
        Socket socket = links.dialling();
        opened.push(socket);
        socket.connect(host.at(), 2_000);
        socket.getOutputStream().write(GREETING);
        socket.getOutputStream().flush();
        return socket;
    }

    private static byte[] say(Socket from, Socket to, byte[] words) throws IOException {
        Thread.startVirtualThread(() -> {
            try {
                from.getOutputStream().write(words);
                from.getOutputStream().flush();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        return to.getInputStream().readNBytes(words.length);
    }

    @Test
    void membersWithTheSameKeyTalkBothWaysWhateverTheSize() throws Exception {
        var host = new Host(ring(ONE));
        Socket there = dial(new Links(ring(ONE)), host);
        Socket here = host.next();
        assertThat(here).isNotNull();
        assertThat(here.getInputStream().readNBytes(GREETING.length)).isEqualTo(GREETING);
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int size : new int[] {1, 60, 16 << 10, (16 << 10) + 1, 300_000}) {
            byte[] words = new byte[size];
            random.nextBytes(words);
            assertThat(say(there, here, words)).as("seed %d", seed).isEqualTo(words);
            assertThat(say(here, there, words)).as("seed %d", seed).isEqualTo(words);
        }
    }

    @Test
    void withoutKeysTheTransportsBytesPassAsTheyAre() throws Exception {
        var host = new Host(Keyring.off());
        Socket there = dial(new Links(Keyring.off()), host);
        Socket here = host.next();
        assertThat(here).isNotNull();
        assertThat(here.getInputStream().readNBytes(GREETING.length)).isEqualTo(GREETING);
        assertThat(say(here, there, new byte[] {7})).containsExactly(7);
    }

    @Test
    void aWrongKeyAPlainPeerAndAForgerNeverGetIn() throws Exception {
        var host = new Host(ring(ONE));
        Socket wrong = dial(new Links(ring(TWO)), host);
        Socket plain = dial(new Links(Keyring.off()), host);
        // Knows the name of the key, which anybody can read on the wire, and not the key.
        Socket forger = new Socket(LOOPBACK, host.door.getLocalPort());
        opened.push(forger);
        forger.getOutputStream().write(hello(GossipKey.of(ONE).id()));
        assertThat(forger.getInputStream().readNBytes(65)).hasSize(65).startsWith(1);
        forger.getOutputStream().write(new byte[32]);
        forger.getOutputStream().write(GREETING);
        for (Socket stranger : List.of(wrong, plain, forger)) {
            assertThat(end(stranger)).isTrue();
        }
        dial(new Links(ring(ONE)), host);
        assertThat(host.next()).isNotNull();
        assertThat(host.admitted).isEmpty();
    }

    private static byte[] hello(long key) {
        return ByteBuffer.allocate(44).put(Handshake.MAGIC).putLong(key).array();
    }

    /** Whether the other side closes the connection. */
    private static boolean end(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (IOException reset) {
            return true;
        }
    }

    @Test
    void aPlainMemberLetsNobodyInWhoEncrypts() throws Exception {
        var host = new Host(Keyring.off());
        assertThat(end(dial(new Links(ring(ONE)), host))).isTrue();
        assertThat(host.admitted).isEmpty();
    }

    @Test
    void whoeverKnocksIsToldWhyNot() throws Exception {
        var sealed = new Host(ring(ONE));
        var plain = new Host(Keyring.off());
        new Links(ring(ONE)).knock(sealed.at(), 2_000);
        new Links(Keyring.off()).knock(plain.at(), 2_000);
        assertThatThrownBy(() -> new Links(ring(TWO)).knock(sealed.at(), 2_000))
                .isInstanceOf(RefusedException.class)
                .hasMessage("No installed keys could decrypt the message");
        assertThatThrownBy(() -> new Links(Keyring.off()).knock(sealed.at(), 2_000))
                .hasMessage(
                        "the member there encrypts its gossip, and this node has no key (encrypt)");
        assertThatThrownBy(() -> new Links(ring(ONE)).knock(plain.at(), 2_000))
                .hasMessage(
                        "the member there does not encrypt its gossip, and this node does (encrypt)");
        assertThat(sealed.admitted).isEmpty();
        assertThat(plain.admitted).isEmpty();
    }

    /** All that a member has sent, sent again on another connection, opens nothing. */
    @Test
    void aRecordedConnectionCannotBeReplayed() throws Exception {
        var host = new Host(ring(ONE));
        byte[] recorded = recordDialTo(host);
        assertThat(host.next()).isNotNull();
        try (Socket replay = new Socket(LOOPBACK, host.door.getLocalPort())) {
            replay.getOutputStream().write(recorded);
            replay.setSoTimeout(10_000);
            replay.getInputStream().readNBytes(65);
            assertThat(end(replay)).isTrue();
        }
        assertThat(host.admitted).isEmpty();
    }

    private byte[] recordDialTo(Host host) throws Exception {
        var recorded = new ByteArrayOutputStream();
        try (var tap = new ServerSocket(0, 1, LOOPBACK)) {
            Socket member = new Links(ring(ONE)).dialling();
            opened.push(member);
            member.connect(tap.getLocalSocketAddress(), 2_000);
            member.getOutputStream().write(GREETING);
            member.getOutputStream().flush();
            Socket inside = tap.accept();
            Socket outside = new Socket(LOOPBACK, host.door.getLocalPort());
            opened.push(inside);
            opened.push(outside);
            Thread.startVirtualThread(() -> {
                try {
                    outside.getInputStream().transferTo(inside.getOutputStream());
                } catch (IOException over) {
                    // The end of the test.
                }
            });
            // Hello, proof, and one frame with the greeting.
            byte[] all = new byte[44 + 32 + 2 + GREETING.length + 16];
            var in = new DataInputStream(inside.getInputStream());
            for (int[] part : new int[][] {{0, 44}, {44, all.length - 44}}) {
                in.readFully(all, part[0], part[1]);
                outside.getOutputStream().write(all, part[0], part[1]);
            }
            recorded.write(all);
        }
        return recorded.toByteArray();
    }

    @Test
    void aForgedByteEndsTheConnection() throws Exception {
        var out = new ByteArrayOutputStream();
        var key = GossipKey.of(ONE).derive("test", new byte[0]);
        try (var sealed = new SealedOutput(out, key)) {
            sealed.write("hello".getBytes(US_ASCII));
            sealed.flush();
            sealed.write("again".getBytes(US_ASCII));
            sealed.flush();
        }
        byte[] frames = out.toByteArray();
        int frame = frames.length / 2;
        byte[] swapped = new byte[frames.length];
        System.arraycopy(frames, frame, swapped, 0, frame);
        System.arraycopy(frames, 0, swapped, frame, frame);
        byte[] forged = frames.clone();
        forged[5] ^= 1;
        for (byte[] bad : List.of(swapped, forged)) {
            var in = new SealedInput(new ByteArrayInputStream(bad), key);
            assertThatThrownBy(in::readAllBytes).hasMessage("gossip frame is not authentic");
        }
    }

    /** The transport's own acceptor would wait 2 s for each. */
    @Test
    void strangersWhoSayNothingHoldUpNobody() throws Exception {
        for (Keyring ring : List.of(ring(ONE), Keyring.off())) {
            var host = new Host(ring);
            List<Socket> strangers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                var stranger = new Socket(LOOPBACK, host.door.getLocalPort());
                opened.push(stranger);
                strangers.add(stranger);
            }
            strangers.getFirst().getOutputStream().write("bela".getBytes(US_ASCII));
            strangers.getLast().getOutputStream().write("RGS1".getBytes(US_ASCII));
            long began = System.nanoTime();
            dial(new Links(ring), host);
            assertThat(host.next()).isNotNull();
            assertThat(System.nanoTime() - began).isLessThan(SECONDS.toNanos(10));
            assertThat(end(strangers.getFirst())).as("shown out in the end").isTrue();
        }
    }

    /** TCP answers for a frozen peer: whoever dials it goes on at once. */
    @Test
    void diallingAFrozenPeerDoesNotBlock() throws Exception {
        try (var frozen = new ServerSocket(0, 5, LOOPBACK)) {
            Socket socket = new Links(ring(ONE), PATIENCE).dialling();
            opened.push(socket);
            long began = System.nanoTime();
            socket.connect(frozen.getLocalSocketAddress(), 2_000);
            socket.getOutputStream().write(GREETING);
            socket.getOutputStream().flush();
            assertThat(System.nanoTime() - began).isLessThan(SECONDS.toNanos(1));
            assertThat(end(socket)).as("given up").isTrue();
        }
    }

    /** A frozen peer with full buffers: whoever writes goes on, until the peer is given up. */
    @Test
    void aPeerThatTakesNothingHoldsUpNobody() throws Exception {
        for (Keyring ring : List.of(ring(ONE), Keyring.off())) {
            var host = new Host(ring);
            Socket socket = dial(new Links(ring), host);
            assertThat(host.next()).isNotNull();
            byte[] words = new byte[60_000];
            long began = System.nanoTime();
            assertThatThrownBy(
                            () -> {
                                for (int i = 0; i < 10_000; i++) {
                                    socket.getOutputStream().write(words);
                                    socket.getOutputStream().flush();
                                }
                            })
                    .hasMessage("the other side takes nothing");
            assertThat(System.nanoTime() - began).isLessThan(SECONDS.toNanos(20));
            assertThat(socket.isClosed()).isTrue();
        }
    }

    @Test
    void aRemovedKeyEndsItsConnections() throws Exception {
        Keyring ring = ring(ONE);
        ring.install(TWO);
        var host = new Host(ring);
        Socket old = dial(new Links(ring(ONE)), host);
        assertThat(host.next()).isNotNull();
        ring.use(TWO);
        Socket fresh = dial(new Links(ring(TWO)), host);
        Socket here = host.next();
        assertThat(here).isNotNull();
        here.getInputStream().readNBytes(GREETING.length);
        assertThat(say(old, old, new byte[0])).as("goes on until its key goes").isEmpty();
        ring.remove(ONE);
        assertThat(end(old)).isTrue();
        assertThat(say(fresh, here, new byte[] {7})).containsExactly(7);
    }

    @Test
    void randomBytesGetNoFurtherThanTheDoor() throws Exception {
        var host = new Host(ring(ONE));
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            byte[] junk = new byte[random.nextInt(200)];
            random.nextBytes(junk);
            try (Socket socket = new Socket(LOOPBACK, host.door.getLocalPort())) {
                if (random.nextBoolean()) {
                    socket.getOutputStream().write(Handshake.MAGIC);
                }
                socket.getOutputStream().write(junk);
            } catch (IOException shownOut) {
                // As it should be.
            }
        }
        dial(new Links(ring(ONE)), host);
        assertThat(host.next()).as("seed %d", seed).isNotNull();
        await().untilAsserted(() -> assertThat(host.admitted).as("seed %d", seed).isEmpty());
    }
}
