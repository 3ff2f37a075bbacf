package registry.agent.gossip.seal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DatagramSealTest {
    private static final String ONE = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final String TWO = "i0P+gFTkLPg0h53eNYjydg==";
    private static final byte[] BEAT = {'R', 'G', 'F', '1', 0, 1, 2, 3};

    private static Keyring ring(String... keys) throws IOException {
        Keyring ring = Keyring.open(keys[0], null, true, true);
        for (String key : keys) {
            ring.install(key);
        }
        return ring;
    }

    @Test
    void whatIsSealedOpensOnceAtEachReceiver() throws IOException {
        byte[] sealed = new DatagramSeal(ring(ONE)).seal(BEAT);
        assertThat(sealed).hasSize(BEAT.length + DatagramSeal.OVERHEAD);
        assertThat(new String(sealed, ISO_8859_1)).doesNotContain(new String(BEAT, ISO_8859_1));
        for (int i = 0; i < 2; i++) {
            var receiver = new DatagramSeal(ring(ONE));
            assertThat(receiver.open(sealed, sealed.length)).isEqualTo(BEAT);
            assertThat(receiver.open(sealed, sealed.length)).as("sent again").isNull();
        }
    }

    /** Else a dead member could be kept alive by sending its old heartbeats again. */
    @Test
    void anOldDatagramIsNotTakenAfterNewerOnesThoughItWasNeverSeen() throws IOException {
        var sender = new DatagramSeal(ring(ONE));
        var receiver = new DatagramSeal(ring(ONE));
        byte[] heldBack = sender.seal(BEAT);
        List<byte[]> later = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            later.add(sender.seal(BEAT));
        }
        byte[] overtaken = later.get(62);
        for (byte[] one : later) {
            if (one != overtaken) {
                assertThat(receiver.open(one, one.length)).isNotNull();
            }
        }
        assertThat(receiver.open(overtaken, overtaken.length)).as("a little late").isNotNull();
        assertThat(receiver.open(heldBack, heldBack.length)).as("far too late").isNull();
    }

    @Test
    void everyBitCounts() throws IOException {
        var receiver = new DatagramSeal(ring(ONE));
        byte[] sealed = new DatagramSeal(ring(ONE)).seal(BEAT);
        for (int bit = 0; bit < sealed.length * 8; bit++) {
            byte[] forged = sealed.clone();
            forged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(receiver.open(forged, forged.length)).as("bit %d", bit).isNull();
        }
        for (int length = 0; length < sealed.length; length++) {
            assertThat(receiver.open(sealed, length)).as("cut to %d", length).isNull();
        }
        assertThat(receiver.open(sealed, sealed.length)).isEqualTo(BEAT);
    }

    @Test
    void plainAndForeignAndRandomOnesAreNothing() throws IOException {
        var receiver = new DatagramSeal(ring(ONE));
        assertThat(receiver.open(BEAT, BEAT.length)).isNull();
        byte[] foreign = new DatagramSeal(ring(TWO)).seal(BEAT);
        assertThat(receiver.open(foreign, foreign.length)).isNull();
        byte[] own = receiver.seal(BEAT);
        assertThat(receiver.open(own, own.length)).as("reflected").isNull();
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int i = 0; i < 1_000; i++) {
            byte[] junk = new byte[random.nextInt(130)];
            random.nextBytes(junk);
            assertThat(receiver.open(junk, junk.length)).as("seed %d", seed).isNull();
        }
    }

    @Test
    void anInstalledKeyOpensAndARemovedOneDoesNot() throws IOException {
        Keyring old = ring(ONE);
        Keyring both = ring(ONE, TWO);
        var sender = new DatagramSeal(both);
        var receiver = new DatagramSeal(old);
        both.use(TWO);
        byte[] early = sender.seal(BEAT);
        assertThat(receiver.open(early, early.length)).isNull();
        old.install(TWO);
        assertThat(receiver.open(early, early.length)).isEqualTo(BEAT);
        old.use(TWO);
        old.remove(ONE);
        byte[] late = new DatagramSeal(ring(ONE)).seal(BEAT);
        assertThat(receiver.open(late, late.length)).isNull();
    }

    @Test
    void whileTheRingIsIntroducedBothArePossible() throws IOException {
        Keyring lenient = Keyring.open(ONE, null, false, false);
        var member = new DatagramSeal(lenient);
        assertThat(member.seal(BEAT)).isEqualTo(BEAT);
        assertThat(member.open(BEAT, BEAT.length)).isEqualTo(BEAT);
        byte[] sealed = new DatagramSeal(ring(ONE)).seal(BEAT);
        assertThat(member.open(sealed, sealed.length)).isEqualTo(BEAT);
    }
}
