package registry.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The least that an HTTP answer can cost in a JVM: Jetty's core alone, on its selector thread, with
 * ready-made bytes. It answers what it was taught: {@code POST path}, header lines, an empty line,
 * body.
 *
 * <ul>
 *   <li>GET, PUT: the answer taught for that path, at once
 *   <li>{@code PUT /durable/…}: the same, when the request's body is on disk, one sync per batch
 *   <li>{@code GET /parked}: held until {@code PUT /wake}
 * </ul>
 */
final class FloorServer extends Handler.Abstract.NonBlocking {
    private record Answer(HttpFields headers, ByteBuffer body) {}

    private record Held(Response response, Callback callback) {}

    private record Write(ByteBuffer bytes, Runnable durable) {}

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Queue<Held> parked = new ConcurrentLinkedQueue<>();
    private final LinkedBlockingQueue<Write> writes = new LinkedBlockingQueue<>();

    /** Arguments: the port, the file that durable writes go to. */
    public static void main(String[] arguments) throws Exception {
        var floor = new FloorServer();
        Thread.ofPlatform().daemon().start(() -> floor.writeBatches(Path.of(arguments[1])));
        var server = new Server(new QueuedThreadPool(8));
        var http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setSendDateHeader(false);
        http.setHeaderCacheSize(0);
        var connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(arguments[0]));
        connector.setAcceptQueueSize(4096);
        connector.setIdleTimeout(600_000);
        server.addConnector(connector);
        server.setHandler(floor);
        server.start();
        server.join();
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        String path = request.getHttpURI().getPathQuery();
        String method = request.getMethod();
        if (method.equals("GET")) {
            if (path.equals("/parked")) {
                request.addIdleTimeoutListener(timeout -> false);
                parked.add(new Held(response, callback));
            } else {
                answer(path, response, callback);
            }
            return true;
        }
        Content.Source.asByteBuffer(
                request,
                new org.eclipse.jetty.util.Promise<>() {
                    @Override
                    public void succeeded(ByteBuffer body) {
                        received(method, path, body, response, callback);
                    }

                    @Override
                    public void failed(Throwable failure) {
                        callback.failed(failure);
                    }
                });
        return true;
    }

    private void received(
            String method, String path, ByteBuffer body, Response response, Callback callback) {
        if (method.equals("POST")) {
            answers.put(path, parse(StandardCharsets.UTF_8.decode(body).toString()));
            response.write(true, null, callback);
        } else if (path.startsWith("/durable/")) {
            writes.add(new Write(body, () -> answer(path, response, callback)));
        } else if (path.equals("/wake")) {
            response.write(true, null, callback);
            for (Held held = parked.poll(); held != null; held = parked.poll()) {
                answer("/parked", held.response(), held.callback());
            }
        } else {
            answer(path, response, callback);
        }
    }

    private void answer(String path, Response response, Callback callback) {
        Answer answer = answers.get(path);
        if (answer == null) {
            response.setStatus(404);
            response.write(true, null, callback);
            return;
        }
        response.getHeaders().add(answer.headers());
        response.write(true, answer.body().duplicate(), callback);
    }

    private static Answer parse(String text) {
        int end = text.indexOf("\n\n");
        ByteBuffer body = StandardCharsets.UTF_8.encode(text.substring(end + 2));
        var direct = ByteBuffer.allocateDirect(body.remaining());
        direct.put(body).flip();
        HttpFields.Mutable headers = HttpFields.build();
        for (String line : text.substring(0, end).split("\n")) {
            int colon = line.indexOf(": ");
            headers.add(line.substring(0, colon), line.substring(colon + 2));
        }
        headers.put("Content-Length", direct.remaining());
        return new Answer(headers.asImmutable(), direct);
    }

    private void writeBatches(Path file) {
        try (FileChannel log =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            List<Write> batch = new ArrayList<>();
            while (true) {
                batch.add(writes.take());
                writes.drainTo(batch);
                log.write(batch.stream().map(Write::bytes).toArray(ByteBuffer[]::new));
                log.force(false);
                batch.forEach(write -> write.durable().run());
                batch.clear();
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
