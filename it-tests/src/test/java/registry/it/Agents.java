package registry.it;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Hands tests that ask for a {@link LauncherProcess} one plain agent that all of them share: they
 * use names of their own and leave it running. When such a test fails, the end of the agent's log
 * is printed.
 */
final class Agents implements ParameterResolver, TestExecutionExceptionHandler {
    private static final String KEY = "agent";
    private static final Namespace SHARED = Namespace.create(Agents.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == LauncherProcess.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return shared(context);
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure)
            throws Throwable {
        var agent = context.getRoot().getStore(SHARED).get(KEY, LauncherProcess.class);
        if (agent != null) {
            System.err.println(context.getDisplayName() + " failed: " + agent.logTail());
        }
        throw failure;
    }

    private static LauncherProcess shared(ExtensionContext context) {
        // The root store closes the agent when the last test of the run is done.
        return context.getRoot()
                .getStore(SHARED)
                .computeIfAbsent(
                        KEY,
                        key -> LauncherProcess.agent().with("enable_script_checks", true).start(),
                        LauncherProcess.class);
    }
}
