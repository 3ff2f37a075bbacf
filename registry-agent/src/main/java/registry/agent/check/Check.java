package registry.agent.check;

/**
 * A way to find out how something is: runs once, blocks until it knows, and never throws for what
 * it finds.
 */
interface Check {
    /** Ends within the check's timeout plus a moment; an interrupt ends it early. */
    CheckResult run() throws InterruptedException;
}
