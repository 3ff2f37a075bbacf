package registry.agent.gossip.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyringTest {
    private static final String ONE = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=";
    private static final String TWO = "i0P+gFTkLPg0h53eNYjydg==";

    @TempDir private Path folder;

    private Keyring open(String configured) throws IOException {
        return Keyring.open(configured, file(), true, true);
    }

    private Path file() {
        return folder.resolve("serf/local.keyring");
    }

    @Test
    void withoutAKeyNothingIsSealed() throws IOException {
        assertThat(open("").isOn()).isFalse();
        assertThat(file()).doesNotExist();
    }

    @Test
    void aRotationOutlivesTheProcessAndBeatsTheConfiguration() throws IOException {
        Keyring ring = open(ONE);
        ring.install(TWO);
        assertThat(open(ONE).keys()).containsExactly(ONE, TWO);
        ring.use(TWO);
        ring.remove(ONE);
        Keyring again = open(ONE);
        assertThat(again.keys()).containsExactly(TWO);
        assertThat(again.hasPrimary(ONE)).isFalse();
        assertThat(open("").keys()).as("a file is enough").containsExactly(TWO);
    }

    @Test
    void onlyTheOwnerReadsTheFile() throws IOException {
        open(ONE).install(TWO);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        assertThat(file().getParent()).isDirectoryNotContaining("glob:**.new");
    }

    @Test
    void whatCannotBeIsRefusedAndChangesNothing() throws IOException {
        Keyring ring = open(ONE);
        assertThatThrownBy(() -> ring.use(TWO)).hasMessage("Requested key is not in the keyring");
        assertThatThrownBy(() -> ring.remove(ONE))
                .hasMessage("Removing the primary key is not allowed");
        assertThatThrownBy(() -> ring.install("AAAA"))
                .hasMessage("key size must be 16, 24 or 32 bytes");
        assertThatThrownBy(() -> ring.install("?")).hasMessage("illegal base64 data");
        ring.remove(TWO);
        assertThat(open("").keys()).containsExactly(ONE);
    }

    @Test
    void aKeyThatCannotBeKeptIsNotInstalled() throws IOException {
        Keyring ring = open(ONE);
        Files.delete(file());
        Files.delete(file().getParent());
        Files.writeString(file().getParent(), "in the way");
        assertThatThrownBy(() -> ring.install(TWO)).isInstanceOf(IOException.class);
        assertThat(ring.keys()).containsExactly(ONE);
    }

    @Test
    void aDamagedFileIsNamedAndNotReplaced() throws IOException {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), "[\"nonsense\"]");
        assertThatThrownBy(() -> open(ONE)).hasMessageContaining(file().toString());
        assertThat(file()).hasContent("[\"nonsense\"]");
    }

    @Test
    void aKeyIsNeverShownWhereItMayBeLogged() {
        assertThat(GossipKey.of(ONE).toString()).doesNotContain(ONE.substring(0, 8));
    }
}
