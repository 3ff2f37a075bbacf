package registry.agent.http;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Response;

/** The door behind: carries routes that are asked seldom, on virtual threads that may block. */
final class JavalinDoor {
    /** Attribute of a request: what the door in front made of it. */
    static final String TASK = "registry.task";

    private static final List<HandlerType> METHODS =
            List.of(HandlerType.GET, HandlerType.PUT, HandlerType.POST, HandlerType.DELETE);

    private final Dispatcher dispatcher;
    private final AnswerWriter writer;

    /**
     * A request whose head was judged and whose body was read.
     *
     * @param carrier and {@code response}: the server's own, without what the servlet's make of
     *     headers
     */
    record Task(
            Route route,
            Request request,
            org.eclipse.jetty.server.Request carrier,
            Response response) {}

    JavalinDoor(Dispatcher dispatcher, AnswerWriter writer) {
        this.dispatcher = dispatcher;
        this.writer = writer;
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
        if (!(context.req().getAttribute(TASK) instanceof Task task)) {
            throw new IllegalStateException("request did not come through the door in front");
        }
        var promise = new CompletableFuture<Answer>();
        dispatcher.ask(task.route(), task.request(), promise::complete);
        Answer answer = promise.join();
        context.res().reset();
        byte[] body = writer.begin(task.carrier(), task.response(), answer);
        context.res().getOutputStream().write(body);
        context.res().getOutputStream().close();
    }
}
