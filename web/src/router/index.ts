export { Link } from "./Link";
export { listen, navigate, query, route, setQuery } from "./router";
export { type PageName, pathOf, type Route, routeOf } from "./routes";
