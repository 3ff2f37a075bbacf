package registry.agent.http;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import registry.agent.check.CheckHistory;
import registry.agent.config.AgentConfig;
import registry.agent.gossip.Membership;
import registry.agent.local.LocalState;
import registry.agent.metrics.Metrics;
import registry.server.rpc.Servers;

/**
 * The HTTP API of an agent: one Jetty with two doors, and all routes. Source: consul-api sections 1
 * to 3.
 */
public final class HttpApi implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HttpApi.class);
    private static final int SELECTORS = 2;
    private static final int MAX_THREADS = 32;
    private static final int BACKLOG = 4096;
    private static final long IDLE_MILLIS = 30_000;
    private static final int INPUT_BUFFER = 8 << 10;
    private static final String UNIX = "unix://";

    /**
     * Silence before a peer is asked whether it is there, between such questions, and how many may
     * stay unanswered.
     */
    private static final int KEEPALIVE_IDLE_SECONDS = 2;

    private static final int KEEPALIVE_INTERVAL_SECONDS = 1;
    private static final int KEEPALIVE_PROBES = 3;

    private final AgentConfig config;
    private final RouteTable routes;
    private final HashWaiters hashWaiters = new HashWaiters();
    private final ExecutorService virtualThreads = Executors.newVirtualThreadPerTaskExecutor();
    private final LiveAnswers live;
    private final ClientConnections connections;
    private final Server server;

    public HttpApi(
            AgentConfig config,
            Servers servers,
            LocalState local,
            CheckHistory history,
            Membership membership,
            AgentControl control,
            Metrics metrics) {
        this(
                config,
                servers,
                local,
                history,
                membership,
                control,
                metrics,
                Route::door,
                LiveAnswers.HEARTBEAT);
    }

    /** With the doors and the time between heartbeats chosen by a test. */
    HttpApi(
            AgentConfig config,
            Servers servers,
            LocalState local,
            CheckHistory history,
            Membership membership,
            AgentControl control,
            Metrics metrics,
            CoreDoor.Doors doors,
            Duration heartbeat) {
        this.config = config;
        live = new LiveAnswers(virtualThreads, heartbeat);
        this.routes =
                routes(
                        config,
                        servers,
                        local,
                        history,
                        membership,
                        control,
                        metrics,
                        hashWaiters,
                        live);
        var dispatcher = new Dispatcher(routes, config, metrics);
        connections = new ClientConnections(config.limits().httpMaxConnsPerClient());
        server = server(dispatcher, doors);
    }

    private static RouteTable routes(
            AgentConfig config,
            Servers servers,
            LocalState local,
            CheckHistory history,
            Membership membership,
            AgentControl control,
            Metrics metrics,
            HashWaiters hashWaiters,
            LiveAnswers live) {
        var lookup = new Lookup(servers, config);
        var table = RouteTable.builder();
        new StatusRoutes(servers).addTo(table);
        new OperatorRoutes(servers, membership).addTo(table);
        new CatalogRoutes(servers, lookup, config.datacenter()).addTo(table);
        new HealthRoutes(lookup).addTo(table);
        new KvRoutes(servers, lookup).addTo(table);
        new UiRoutes(lookup).addTo(table);
        new QueryRoutes(servers, lookup, config.nodeName()).addTo(table);
        new CoordinateRoutes(servers, lookup, config.disableCoordinates()).addTo(table);
        new SessionRoutes(servers, lookup, config.nodeName()).addTo(table);
        new TxnRoutes(servers, config).addTo(table);
        new SnapshotRoutes(servers, config).addTo(table);
        new AgentRoutes(config, membership, control).addTo(table);
        new AgentServiceRoutes(config, local, hashWaiters).addTo(table);
        new AgentCheckRoutes(local, history).addTo(table);
        new AgentMetricsRoutes(metrics).addTo(table);
        new KeyringRoutes(membership, config.datacenter()).addTo(table);
        new EventRoutes(config, membership, local, hashWaiters).addTo(table);
        new MonitorRoutes(control, live::execute).addTo(table);
        new AbsentRoutes(config.enableDebug()).addTo(table);
        return table.build();
    }

    private Server server(Dispatcher dispatcher, CoreDoor.Doors doors) {
        var threads = new QueuedThreadPool(MAX_THREADS, SELECTORS + 2);
        threads.setName("http");
        threads.setReservedThreads(0);
        var jetty = new Server(threads);
        jetty.setErrorHandler(HttpApi::writeError);
        var writer = new AnswerWriter(dispatcher);
        var behind = new JavalinDoor(dispatcher, writer).handler();
        jetty.setHandler(
                new CoreDoor(dispatcher, connections, virtualThreads, doors, writer, live, behind));
        return jetty;
    }

    /** All routes that are served, for the test that compares them with the OpenAPI text. */
    RouteTable routes() {
        return routes;
    }

    /**
     * Listens on all addresses of the configuration; a port of 0 takes any that is free.
     *
     * @throws IOException with the address that is taken or can't be had
     */
    public void start() throws IOException {
        for (String address : config.clientAddrs()) {
            if (address.startsWith(UNIX)) {
                throw new IOException(
                        "http: \""
                                + address
                                + "\": UNIX sockets are not supported, use an IP address");
            }
            var connector = new Alive(server, new HttpConnectionFactory(httpConfiguration()));
            connector.setHost(address);
            connector.setPort(config.ports().http());
            connector.setAcceptQueueSize(BACKLOG);
            connector.setIdleTimeout(IDLE_MILLIS);
            connector.addBean(connections);
            try {
                connector.open();
            } catch (IOException e) {
                closeConnectors();
                throw new IOException(
                        "http: listen tcp "
                                + address
                                + ":"
                                + config.ports().http()
                                + ": "
                                + reason(e),
                        e);
            }
            server.addConnector(connector);
        }
        try {
            server.start();
        } catch (Exception e) {
            throw new IOException("http: " + e.getMessage(), e);
        }
    }

    private static String reason(IOException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return String.valueOf(cause.getMessage());
    }

    private HttpConfiguration httpConfiguration() {
        var http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setSendXPoweredBy(false);
        http.setSendDateHeader(true);
        http.setRequestHeaderSize(config.http().maxHeaderBytes());
        // The cache of header fields would cost each connection 100 KB from its second request on.
        http.setHeaderCacheSize(0);
        http.setInputBufferSize(INPUT_BUFFER);
        // Keys may hold any character: what a path means is the dispatcher's business.
        http.setUriCompliance(UriCompliance.UNSAFE);
        return http;
    }

    /** How many answers go on at this moment. */
    int live() {
        return live.size();
    }

    /** The port of the first listener. */
    public int port() {
        return ((ServerConnector) server.getConnectors()[0]).getLocalPort();
    }

    /** Ends live answers and stops listening; requests under way are cut. */
    @Override
    public void close() {
        live.close();
        try {
            server.stop();
        } catch (Exception e) {
            LOG.warn("http: stop failed: error={}", e.toString());
        }
        closeConnectors();
        hashWaiters.close();
        virtualThreads.shutdownNow();
    }

    private void closeConnectors() {
        var open = new ArrayList<>(List.of(server.getConnectors()));
        for (var connector : open) {
            ((ServerConnector) connector).close();
        }
    }

    /** The words for what never reached a route: not HTTP, a head that is too large. */
    private static boolean writeError(Request request, Response response, Callback callback) {
        int status = response.getStatus();
        if (status == HttpStatus.HTTP_VERSION_NOT_SUPPORTED_505
                || status == HttpStatus.NOT_IMPLEMENTED_501) {
            // The caller's mistake, not ours.
            status = HttpStatus.BAD_REQUEST_400;
            response.setStatus(status);
        }
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Answer.TEXT);
        response.getHeaders().put("X-Content-Type-Options", "nosniff");
        // Jetty ends the connection after most of these: whoever keeps it must be told.
        response.getHeaders().put(HttpHeader.CONNECTION, "close");
        Content.Sink.write(response, true, HttpStatus.getMessage(status), callback);
        return true;
    }

    /**
     * A connector whose connections notice a peer that vanished without a word, and go on to their
     * next request on the thread that wrote the last answer, where there is nothing to do but to
     * wait for it.
     */
    private static final class Alive extends ServerConnector {
        private final @Nullable Executor onTheSpot;

        Alive(Server server, HttpConnectionFactory http) {
            super(server, 1, SELECTORS, http);
            Executor pool = super.getExecutor();
            onTheSpot = task -> execute(task, pool);
        }

        private static void execute(Runnable task, Executor pool) {
            if (task instanceof HttpConnection idle && idle.isRequestBufferEmpty()) {
                idle.run();
            } else {
                // Requests that came in a row are not the business of whoever answered the first.
                pool.execute(task);
            }
        }

        /** Asked by the constructor, too, before there is anything of this class. */
        @Override
        public Executor getExecutor() {
            return onTheSpot == null ? super.getExecutor() : onTheSpot;
        }

        @Override
        protected SocketChannelEndPoint newEndPoint(
                SocketChannel channel, ManagedSelector selector, SelectionKey key)
                throws IOException {
            channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEPALIVE_INTERVAL_SECONDS);
            channel.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEPALIVE_PROBES);
            return super.newEndPoint(channel, selector, key);
        }
    }
}
