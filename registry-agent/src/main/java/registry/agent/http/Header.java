package registry.agent.http;

/** One line of an answer's head. */
record Header(String name, String value) {}
