package registry.agent.check;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScriptCheckTest {
    @TempDir Path dir;

    @ParameterizedTest
    @CsvSource({"0,passing", "1,warning", "2,critical", "127,critical"})
    void exitStatusIsTheResult(int exit, String status) throws Exception {
        assertThat(sh("exit " + exit).run().status()).isEqualTo(status);
    }

    @Test
    void outputIsWhatTheScriptWroteInItsOrder() throws Exception {
        assertThat(sh("echo one; echo two >&2; echo three").run())
                .isEqualTo(CheckResult.passing("one\ntwo\nthree\n"));
    }

    @Test
    void lastBytesOfALongOutputAreKept() throws Exception {
        var check =
                new ScriptCheck(
                        List.of("sh", "-c", "printf 'ab%098dz' 0"), Duration.ofSeconds(5), 10);

        assertThat(check.run().output()).isEqualTo("Captured 10 of 101 bytes\n...\n000000000z");
    }

    @Test
    void programThatIsNotThereIsCritical() throws Exception {
        assertThat(script("/nonexistent").run())
                .isEqualTo(
                        CheckResult.critical("fork/exec /nonexistent: no such file or directory"));
        assertThat(script("no-such-program-at-all").run().output())
                .isEqualTo("exec: \"no-such-program-at-all\": executable file not found in $PATH");
    }

    @Test
    void fileThatMayNotBeRunIsCritical() throws Exception {
        Path file =
                Files.createFile(
                        dir.resolve("check"),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));

        assertThat(script(file.toString()).run())
                .isEqualTo(CheckResult.critical("fork/exec " + file + ": permission denied"));
    }

    @Test
    void scriptGetsNoInput() throws Exception {
        assertThat(sh("cat; echo read").run()).isEqualTo(CheckResult.passing("read\n"));
    }

    @Test
    void hungScriptIsKilledWithItsChildren() throws Exception {
        Path pids = dir.resolve("pids");
        // One child in the script's group, one whose parent has gone, and the script itself.
        String script =
                "(sleep 600 & echo $! >>"
                        + pids
                        + "); sleep 600 & echo $! >>"
                        + pids
                        + "; echo $$ >>"
                        + pids
                        + "; echo waiting; wait";
        var check = new ScriptCheck(List.of("/bin/sh", "-c", script), Duration.ofSeconds(1), 4096);

        CheckResult result = check.run();

        assertThat(result)
                .isEqualTo(CheckResult.critical("Timed out (1s) running check\n\nwaiting\n"));
        assertThat(Files.readAllLines(pids)).hasSize(3);
        await().atMost(20, SECONDS)
                .until(() -> Files.readAllLines(pids).stream().noneMatch(ScriptCheckTest::isAlive));
    }

    @Test
    void scriptThatEndedHasAnsweredWhateverItLeftBehind() throws Exception {
        assertThat(sh("echo done; sleep 5 & exit 1").run())
                .isEqualTo(CheckResult.warning("done\n"));
    }

    @Test
    void stoppedCheckKillsItsScript() throws Exception {
        Path pids = dir.resolve("pids");
        Thread running =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                sh("echo $$ >" + pids + "; sleep 600").run();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
        await().atMost(20, SECONDS).until(() -> Files.exists(pids) && Files.size(pids) > 1);

        running.interrupt();

        await().atMost(20, SECONDS)
                .until(() -> !running.isAlive() && !isAlive(Files.readString(pids).strip()));
    }

    private static boolean isAlive(String pid) {
        // A zombie whose parent has not yet looked is dead for our purposes.
        return ProcessHandle.of(Long.parseLong(pid))
                .map(process -> process.isAlive() && !isZombie(pid))
                .orElse(false);
    }

    private static boolean isZombie(String pid) {
        try {
            return Files.readString(Path.of("/proc", pid, "stat")).contains(") Z ");
        } catch (java.io.IOException e) {
            return true;
        }
    }

    private static ScriptCheck sh(String script) {
        return script("/bin/sh", "-c", script);
    }

    private static ScriptCheck script(String... args) {
        return new ScriptCheck(List.of(args), Duration.ofSeconds(5), 4096);
    }
}
