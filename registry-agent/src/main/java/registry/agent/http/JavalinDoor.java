package registry.agent.http;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;

/** The door behind: carries routes that are asked seldom, on virtual threads that may block. */
final class JavalinDoor {
    /** Attribute of a request: what the door in front made of it. */
    static final String TASK = "registry.task";

    private static final List<HandlerType> METHODS =
            List.of(HandlerType.GET, HandlerType.PUT, HandlerType.POST, HandlerType.DELETE);

    private final Dispatcher dispatcher;
    private final Gzip gzip = new Gzip();
    private final Map<Answer.Dress, List<Header>> dresses = new EnumMap<>(Answer.Dress.class);

    /** A request whose head was judged and whose body was read. */
    record Task(Route route, Request request) {}

    JavalinDoor(Dispatcher dispatcher) {
        this.dispatcher = dispatcher;
        for (Answer.Dress dress : Answer.Dress.values()) {
            dresses.put(dress, dispatcher.linesOf(dress));
        }
    }

    /** The handler to put behind the door in front. */
    ServletContextHandler handler() {
        var javalin =
                Javalin.create(config -> {
                    config.startup.showJavalinBanner = false;
                    config.startup.showOldJavalinVersionWarning = false;
                    config.startup.startupWatcherEnabled = false;
                    config.http.compressionStrategy = CompressionStrategy.NONE;
                    config.concurrency.useVirtualThreads = true;
                    METHODS.forEach(method ->
                            config.routes.addEndpoint(
                                    new io.javalin.router.Endpoint(method, "/", this::serve)));
                });
        var context = new ServletContextHandler("/");
        context.addServlet(new ServletHolder(javalin.javalinServlet()), "/*");
        return context;
    }

    private void serve(Context context) throws IOException {
        if (!(context.req().getAttribute(TASK) instanceof Task(Route route, Request request))) {
            throw new IllegalStateException("request did not come through the door in front");
        }
        var promise = new CompletableFuture<Answer>();
        dispatcher.ask(route, request, promise::complete);
        write(request, context.res(), promise.join());
    }

    private void write(Request request, HttpServletResponse response, Answer answer)
            throws IOException {
        response.reset();
        response.setStatus(answer.status());
        dresses.getOrDefault(answer.dress(), List.of())
                .forEach(line -> response.addHeader(line.name(), line.value()));
        if (answer.contentType() != null) {
            response.setHeader("Content-Type", answer.contentType());
        }
        answer.headers().forEach(line -> response.addHeader(line.name(), line.value()));
        byte[] body = answer.body();
        if (answer.dress() == Answer.Dress.FULL
                && Gzip.wants(request.header("Accept-Encoding"), body)) {
            body = gzip.zip(body);
            response.setHeader("Content-Encoding", "gzip");
        }
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
        response.getOutputStream().close();
    }
}
