package registry.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell part of {@code bin/registry}: finding itself, finding Java, and answering at once. */
class LauncherIT {
    private static final Path HOME = Path.of(System.getProperty("registry.home")).toAbsolutePath();
    private static final String VERSION =
            "Consul v1.9.8\n"
                    + "Protocol 2 spoken by default, understands 2 to 3"
                    + " (agent will automatically use protocol >2 when speaking to compatible agents)\n\n";

    @TempDir Path dir;

    @Test
    void versionIsConsulsWord() throws Exception {
        assertThat(run(HOME, Map.of(), "version")).isEqualTo(new Ended(0, VERSION, ""));
        assertThat(run(HOME, Map.of(), "--version")).isEqualTo(new Ended(0, VERSION, ""));
    }

    @Test
    void worksThroughSymlinksFromAnywhere() throws Exception {
        Path link = Files.createSymbolicLink(dir.resolve("one"), HOME.resolve("bin/registry"));
        Path consul =
                Files.createSymbolicLink(
                        dir.resolve("consul"), Path.of(link.getFileName().toString()));
        assertThat(start(Map.of(), List.of(consul.toString(), "version")).out()).isEqualTo(VERSION);
    }

    @Test
    void saysInOneLineWhichJavaIsMissing() throws Exception {
        Path java = dir.resolve("no-such-java");
        Ended ended = run(HOME, Map.of("REGISTRY_JAVA", java.toString()), "members");
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.err())
                .isEqualTo("registry: REGISTRY_JAVA=\"" + java + "\" is not a java program\n");
    }

    @Test
    void oldJavaIsPassedOver() throws Exception {
        Path old = Files.createDirectories(dir.resolve("jdk-17/bin"));
        Files.createSymbolicLink(old.resolve("java"), Path.of("/bin/false"));
        Files.writeString(dir.resolve("jdk-17/release"), "JAVA_VERSION=\"17.0.1\"\n");
        Map<String, String> path =
                Map.of("JAVA_HOME", old.getParent().toString(), "PATH", old + ":" + currentPath());
        // /bin/false would answer without a word; any later Java of this machine prints its
        // version.
        Ended ended = run(HOME, with(path, "REGISTRY_JAVA_OPTS", "-version"), "members");
        assertThat(ended.err()).containsAnyOf("build 2", "registry needs Java 25 or newer");
    }

    @Test
    void startUpCacheFitsTheLaunchersFlags() throws Exception {
        assertThat(HOME.resolve("lib/registry.aot")).exists();
        Ended ended = run(HOME, Map.of("REGISTRY_JAVA_OPTS", "-XX:AOTMode=on -version"), "members");
        assertThat(ended.code()).as(ended.err()).isZero();
    }

    @Test
    void damagedStartUpCacheIsIgnoredWithoutAWord() throws Exception {
        Path copy = copyOfHome();
        Files.writeString(copy.resolve("lib/registry.aot"), "not a cache");
        Ended sound = run(HOME, Map.of(), "version", "-no-such-flag");
        assertThat(run(copy, Map.of(), "version", "-no-such-flag")).isEqualTo(sound);
    }

    @Test
    void startUpCacheOfAnotherJdkIsNotUsed() throws Exception {
        Path copy = copyOfHome();
        Files.writeString(copy.resolve("lib/registry.aot.jdk"), "some other build\n");
        Ended ended =
                run(copy, Map.of("REGISTRY_JAVA_OPTS", "-XX:+PrintFlagsFinal -version"), "members");
        assertThat(ended.out()).containsPattern("AOTCache += +\\{");
    }

    private Path copyOfHome() throws IOException {
        Path copy = dir.resolve("home");
        try (Stream<Path> files = Files.walk(HOME)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path to = copy.resolve(HOME.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(to);
                } else {
                    Files.copy(file, to, StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        return copy;
    }

    private Ended run(Path home, Map<String, String> environment, String... arguments)
            throws Exception {
        return start(
                environment,
                Stream.concat(
                                Stream.of(home.resolve("bin/registry").toString()),
                                Stream.of(arguments))
                        .toList());
    }

    private Ended start(Map<String, String> environment, List<String> command) throws Exception {
        Path out = Files.createTempFile(dir, "out", "");
        Path err = Files.createTempFile(dir, "err", "");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(dir.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static String currentPath() {
        return System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
    }

    private static Map<String, String> with(Map<String, String> map, String name, String value) {
        var copy = new java.util.HashMap<>(map);
        copy.put(name, value);
        return copy;
    }

    private record Ended(int code, String out, String err) {}
}
