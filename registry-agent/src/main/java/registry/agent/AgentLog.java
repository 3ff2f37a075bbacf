package registry.agent;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.Context;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.spi.FilterReply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import registry.api.json.Json;

/**
 * Consul's log lines on standard output: {@code 2026-11-22T11:59:59.556Z [INFO] agent.http:
 * message: key=value}. Logback finds it as its configurator, so that nothing is read from files;
 * until {@link #configure} was called only warnings are shown.
 */
public final class AgentLog extends ContextAwareBase implements Configurator {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    /** Call each message to a peer that is away an error, and there are many a second. */
    private static final List<String> PARTINGS =
            List.of(
                    "com.alipay.sofa.jraft.rpc.impl.AbstractClientService",
                    "com.alipay.sofa.jraft.core.Replicator",
                    "com.alipay.sofa.jraft.core.ReplicatorGroupImpl",
                    // The transport's own words; failure detection tells what there is to tell.
                    "registry.agent.gossip.BoundedTcp");

    private static final String OURS = "registry";
    private static final String JETTY = "org.eclipse.jetty";
    private static final String RAFT = "com.alipay.sofa.jraft";
    private static final String GOSSIP = "org.jgroups";

    /** Property of the context: the level that was asked for. */
    private static final String CONFIGURED = "registry.log_level";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        var console = new ConsoleAppender<ILoggingEvent>();
        console.setName("console");
        attach(context, console, new Lines());
        setLevel(context, Level.WARN);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /**
     * Logs as the configuration wants it.
     *
     * @param level trace, debug, info, warn or err, in any case
     * @param file also written to, appended; null for none
     * @throws IOException when the file can't be written
     */
    static void configure(String level, boolean json, @Nullable Path file) throws IOException {
        var context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        attach(context, new ConsoleAppender<>(), json ? new JsonLines() : new Lines());
        if (file != null) {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            if (!Files.exists(file)) {
                Files.createFile(file);
            }
            if (!Files.isWritable(file)) {
                throw new IOException("log_file \"" + file + "\" can't be written");
            }
            var appender = new FileAppender<ILoggingEvent>();
            appender.setFile(file.toString());
            attach(context, appender, json ? new JsonLines() : new Lines());
        }
        setLevel(level);
    }

    /**
     * Changes the level of the program's own loggers; libraries stay at warnings until trace is
     * asked for.
     */
    static void setLevel(String level) {
        setLevel((LoggerContext) LoggerFactory.getILoggerFactory(), parse(level));
    }

    /**
     * Hands over each line from now on, until it is closed; what others see stays as it is.
     *
     * @param level as in {@link #configure}; may be lower than the configured one
     * @param lines called on the thread that logs: must not block, and must not log
     */
    static AutoCloseable tap(String level, boolean json, Consumer<String> lines) {
        var context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        var tap = new Tap(parse(level), json ? new JsonLines() : new Lines(), lines);
        tap.setContext(context);
        tap.start();
        root.addAppender(tap);
        applyLevels(context);
        return () -> {
            root.detachAppender(tap);
            applyLevels(context);
        };
    }

    private static Level parse(String level) {
        return switch (level.toLowerCase(Locale.ROOT)) {
            case "trace" -> Level.TRACE;
            case "debug" -> Level.DEBUG;
            case "warn" -> Level.WARN;
            case "err", "error" -> Level.ERROR;
            default -> Level.INFO;
        };
    }

    private static void setLevel(LoggerContext context, Level level) {
        context.putProperty(CONFIGURED, level.toString());
        applyLevels(context);
    }

    private static Level configured(Context context) {
        return Level.toLevel(context.getProperty(CONFIGURED), Level.WARN);
    }

    /** Lets the loggers make what the configuration or any tap wants. */
    private static synchronized void applyLevels(LoggerContext context) {
        Level configured = configured(context);
        Level lowest = configured;
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        for (var all = root.iteratorForAppenders(); all.hasNext(); ) {
            if (all.next() instanceof Tap tap && lowest.isGreaterOrEqual(tap.level)) {
                lowest = tap.level;
            }
        }
        root.setLevel(threshold("", lowest));
        context.getLogger(OURS).setLevel(threshold(OURS, lowest));
        context.getLogger(RAFT).setLevel(threshold(RAFT, lowest));
        context.getLogger(GOSSIP).setLevel(threshold(GOSSIP, lowest));
        for (String parting : PARTINGS) {
            context.getLogger(parting).setLevel(lowest == Level.TRACE ? Level.DEBUG : Level.OFF);
        }
        // Not for a tap: what Jetty logs of carrying a line would be the next line.
        context.getLogger(JETTY).setLevel(threshold(JETTY, configured));
    }

    /** The least that is shown of a logger while that level is wanted. */
    private static Level threshold(String logger, Level wanted) {
        if (logger.startsWith(OURS)) {
            return wanted;
        }
        // A stranger's bad request is a warning to Jetty, and could fill the log; the other two
        // report each lost connection and each election step as an error of their own.
        if (logger.startsWith(JETTY) || logger.startsWith(RAFT) || logger.startsWith(GOSSIP)) {
            return wanted == Level.TRACE ? Level.DEBUG : Level.ERROR;
        }
        return wanted.isGreaterOrEqual(Level.WARN) || wanted == Level.TRACE ? wanted : Level.WARN;
    }

    private static void attach(
            LoggerContext context,
            OutputStreamAppender<ILoggingEvent> appender,
            LayoutBase<ILoggingEvent> layout) {
        layout.setContext(context);
        layout.start();
        var encoder = new LayoutWrappingEncoder<ILoggingEvent>();
        encoder.setContext(context);
        encoder.setLayout(layout);
        encoder.start();
        var filter = new AtConfiguredLevel();
        filter.setContext(context);
        filter.start();
        appender.addFilter(filter);
        appender.setContext(context);
        appender.setEncoder(encoder);
        appender.start();
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(appender);
    }

    /**
     * {@code registry.agent.http.HttpApi} is {@code agent.http}; {@code registry.server.raft…} is
     * {@code agent.server.raft}.
     */
    static String subsystem(String logger) {
        int dot = logger.lastIndexOf('.');
        String name = dot < 0 ? logger : logger.substring(0, dot);
        if (name.startsWith("registry.agent")) {
            return name.substring("registry.".length());
        }
        return "agent."
                + (name.startsWith("registry.") ? name.substring("registry.".length()) : name);
    }

    private static String word(Level level) {
        return level == Level.ERROR ? "ERROR" : level.toString();
    }

    /** What others chose, a service's name for one, must not make lines of its own. */
    static String printable(String text) {
        if (text.chars().noneMatch(Character::isISOControl)) {
            return text;
        }
        var out = new StringBuilder(text.length() + 16);
        text.chars()
                .forEach(c -> {
                    switch (c) {
                        case '\n' -> out.append("\\n");
                        case '\r' -> out.append("\\r");
                        case '\t' -> out.append("\\t");
                        default -> {
                            if (Character.isISOControl(c)) {
                                out.append(String.format("\\u%04x", c));
                            } else {
                                out.append((char) c);
                            }
                        }
                    }
                });
        return out.toString();
    }

    /** Keeps from console and file what is made for a tap alone. */
    private static final class AtConfiguredLevel extends Filter<ILoggingEvent> {
        @Override
        public FilterReply decide(ILoggingEvent event) {
            Level least = threshold(event.getLoggerName(), configured(getContext()));
            return event.getLevel().isGreaterOrEqual(least)
                    ? FilterReply.NEUTRAL
                    : FilterReply.DENY;
        }
    }

    private static final class Tap extends UnsynchronizedAppenderBase<ILoggingEvent> {
        private final Level level;
        private final LayoutBase<ILoggingEvent> layout;
        private final Consumer<String> lines;

        Tap(Level level, LayoutBase<ILoggingEvent> layout, Consumer<String> lines) {
            this.level = level;
            this.layout = layout;
            this.lines = lines;
        }

        @Override
        protected void append(ILoggingEvent event) {
            String logger = event.getLoggerName();
            if (!event.getLevel().isGreaterOrEqual(threshold(logger, level))
                    || logger.startsWith(JETTY) && !event.getLevel().isGreaterOrEqual(Level.WARN)) {
                return;
            }
            lines.accept(layout.doLayout(event));
        }
    }

    private static final class Lines extends LayoutBase<ILoggingEvent> {
        @Override
        public String doLayout(ILoggingEvent event) {
            String level = "[" + word(event.getLevel()) + "]";
            String line =
                    TIME.format(event.getInstant())
                            + " "
                            + level
                            + " ".repeat(8 - level.length())
                            + subsystem(event.getLoggerName())
                            + ": "
                            + printable(event.getFormattedMessage())
                            + "\n";
            return event.getThrowableProxy() == null
                    ? line
                    : line + ThrowableProxyUtil.asString(event.getThrowableProxy());
        }
    }

    private static final class JsonLines extends LayoutBase<ILoggingEvent> {
        @Override
        public String doLayout(ILoggingEvent event) {
            Map<String, String> line = new LinkedHashMap<>();
            line.put("@level", word(event.getLevel()).toLowerCase(Locale.ROOT));
            line.put("@message", event.getFormattedMessage());
            line.put("@module", subsystem(event.getLoggerName()));
            line.put("@timestamp", event.getInstant().toString());
            if (event.getThrowableProxy() != null) {
                line.put("error", ThrowableProxyUtil.asString(event.getThrowableProxy()));
            }
            return new String(Json.write(line), StandardCharsets.UTF_8) + "\n";
        }
    }
}
