package registry.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/**
 * A small web server in a process of its own, to be killed: answers every request with its name.
 */
public final class Backend {
    private Backend() {}

    /** Starts one on a port of 127.0.0.1. */
    public static Process start(String name, int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx32m",
                        "-Dsun.net.httpserver.nodelay=true",
                        "-cp",
                        classes().toString(),
                        Backend.class.getName(),
                        name,
                        Integer.toString(port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Where this class was loaded from, so that any working directory does. */
    private static Path classes() {
        return Path.of(
                URI.create(
                        Backend.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toString()));
    }

    public static void main(String[] args) throws IOException {
        byte[] name = args[0].getBytes(UTF_8);
        var address =
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        HttpServer server = HttpServer.create(address, 100);
        server.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(200, name.length);
                    exchange.getResponseBody().write(name);
                    exchange.close();
                });
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }
}
